"""Pages as a browser gets them: asked of Traefik from the operator's machine until they are as expected."""

import html
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event

import requests
import urllib3

from swarm.checks.definitions import Http
from swarm.settings import secrets
from swarm.settings.environment import Environment
from swarm.stacks import manifest

POLL_SECONDS = 0.5
ANSWER_SECONDS = 5.0


@dataclass(frozen=True)
class EntryPoint:
    """Where Traefik is asked: `address` instead of the domain itself, and the port of each scheme that is in reach."""

    domain: str
    tls: bool
    ports: Mapping[str, int]
    address: str = ""

    def scheme(self, test: Http) -> str:
        """The scheme that a test asks for: its own, else the one that serves pages."""
        return test.scheme or ("https" if self.tls else "http")

    def reaches(self, test: Http) -> bool:
        """Whether a test can be asked from here."""
        return self.scheme(test) in self.ports

    def url(self, test: Http) -> str:
        """The address of a test's page, as it is connected to."""
        scheme = self.scheme(test)
        return f"{scheme}://{self.address or self.host(test)}:{self.ports[scheme]}{test.path}"

    def host(self, test: Http) -> str:
        """The host name of a test's page."""
        return f"{test.host}.{self.domain}" if test.host else self.domain


def entry_point(environment: Environment) -> EntryPoint:
    """Where the environment's Traefik is asked: the lab's published port, `entry` of env.yaml, or the domain itself."""
    values = {**manifest.read()["admin"].values, **environment.file.stacks.get("admin", {})}
    tls = bool(values["tls"])
    ports = {"http": int(values["http_port"]), **({"https": int(values["https_port"])} if tls else {})}
    if environment.file.driver == "lab":
        lab = environment.file.lab
        listen = "127.0.0.1" if lab.listen.is_unspecified else str(lab.listen)
        return EntryPoint(environment.domain, tls, {"http": lab.http_port}, listen)
    host, _, port = (environment.file.entry or "").partition(":")
    return EntryPoint(environment.domain, tls, {"https" if tls else "http": int(port)} if port else ports, host)


def visit(environment: Environment, entrance: EntryPoint, test: Http, over: Event) -> tuple[bool, str]:
    """Ask for a page until it is as expected, or time is up or all over; returns whether it was, and what was found."""
    auth = _sign_in(environment, test)
    end = time.monotonic() + test.timeout
    while True:
        held, found = _ask(entrance, test, auth)
        if held or time.monotonic() >= end or over.wait(POLL_SECONDS):
            return held, found


def _ask(entrance: EntryPoint, test: Http, auth: tuple[str, str] | None) -> tuple[bool, str]:
    # Until the operator brings a certificate, Traefik signs one itself.
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    try:
        answer = requests.get(
            entrance.url(test),
            headers={"Host": entrance.host(test)},
            auth=auth,
            timeout=ANSWER_SECONDS,
            allow_redirects=False,
            verify=False,  # noqa: S501 - a test asks for the page, not for the certificate
        )
    except requests.RequestException as error:
        return False, f"no answer ({type(error).__name__})"
    return judge(test, answer.status_code, answer.headers.get("Location", ""), answer.text)


def judge(test: Http, status: int, location: str, text: str) -> tuple[bool, str]:
    """Whether an answer is as expected, and what it is, for people."""
    if status != test.status:
        return False, f"status {status}{f', location {location}' if location else ''}"
    if test.location and not location.startswith(test.location):
        return False, f"status {status}, location {location or 'none'}"
    if test.text and test.text not in text and test.text not in html.unescape(text):
        return False, f"status {status}, {len(text)} characters without the text"
    return True, f"status {status}"


def can_sign_in(environment: Environment, test: Http) -> bool:
    """Whether the password that a test signs in with, if any, is known here; the swarm has a hash of it only."""
    return not test.sign_in or secrets.file(environment.secrets, test.sign_in).exists()


def _sign_in(environment: Environment, test: Http) -> tuple[str, str] | None:
    if not test.sign_in:
        return None
    known = manifest.declarations()
    user = next((item.user for item in known.values() if item.htpasswd == test.sign_in), "admin")
    return user, secrets.look(environment.secrets, test.sign_in, known).reveal()
