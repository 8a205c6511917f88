"""The process environment and the secrets, read once, checked whole, frozen."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from tempfile import gettempdir
from typing import TypeVar
from urllib.parse import urlsplit

from activity.errors import SettingsError
from activity.hour import Hour, parse_hour, parse_since
from activity.projects import Project, read_projects
from activity.secret import Secret
from activity.times import parse_duration

__all__ = ["Archive", "Backups", "Listen", "Need", "Project", "Secret", "Settings", "Simulate", "read_settings"]

Value = TypeVar("Value")


class Simulate(StrEnum):
    """When hours are made up instead of read."""

    NEVER = "never"
    WHEN_UNREACHABLE = "when-unreachable"
    ALWAYS = "always"


# The hours of the archive that DevStats found broken beyond use.
SKIP = "2012-11-09-8, 2020-10-30-17, 2021-09-11-9"


class Need(StrEnum):
    """What a verb cannot do without, beyond the settings that have defaults."""

    POSTGRES = "postgres-password"
    REPLICATION = "replication-password"
    REWIND = "rewind-password"
    PATRONI = "patroni-password"
    OWNER = "gha-admin-password"
    READER = "ro-user-password"
    TEAM = "devstats-team-password"
    PROJECTS = "ACTIVITY_PROJECTS"
    PROJECT = "ACTIVITY_PROJECT"
    MINUTE = "ACTIVITY_MINUTE"


SECRETS = (Need.POSTGRES, Need.REPLICATION, Need.REWIND, Need.PATRONI, Need.OWNER, Need.READER, Need.TEAM)


@dataclass(frozen=True)
class Archive:
    """Where hours come from and which are wanted; since None means from the start of each project."""

    url: str
    since: Hour | None
    simulated_since: Hour | None
    until: Hour | None
    simulate: Simulate
    cache: Path
    case_sensitive: bool
    skip: frozenset[Hour]
    retry: timedelta
    give_up: timedelta


@dataclass(frozen=True)
class Backups:
    """Where backups are, when each kind is made (five cron fields, days of the week by name, UTC) and how many stay."""

    folder: Path
    full: str
    differential: str
    dumps: str
    verify: str
    keep_dumps: int
    processes: int
    scratch: Path


@dataclass(frozen=True)
class Listen:
    """The address that a service answers HTTP on."""

    host: str
    port: int


@dataclass(frozen=True)
class Settings:
    """All settings; a secret that the verb does not need is None. `connection_limits` are those of roles."""

    database_host: str
    database_port: int
    database_port_read: int
    secrets: Mapping[Need, Secret]
    projects: tuple[Project, ...]
    project: Project | None
    minute: int
    archive: Archive
    backups: Backups
    docker_url: str
    patroni: tuple[str, ...]
    connection_limits: Mapping[str, int]
    listen: Listen
    linger: timedelta
    patience: timedelta
    domain: str
    public_url: str

    def password(self, need: Need) -> Secret:
        """Return a secret that the verb asked for."""
        return self.secrets[need]

    def project_named(self, name: str) -> Project | None:
        """Return the project of that name, if there is one."""
        return next((project for project in self.projects if project.name == name), None)


class _Reader:
    """Takes values out of an environment and gathers every mistake."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.mistakes: list[str] = []

    def text(self, name: str, default: str) -> str:
        return self.environ.get(name, "").strip() or default

    def parsed(self, name: str, default: str, parse: Callable[[str], Value], fallback: Value) -> Value:
        try:
            return parse(self.text(name, default))
        except ValueError as error:
            self.mistakes.append(f"{name}: {error}")
            return fallback

    def optional_hour(self, name: str, parse: Callable[[str], Hour]) -> Hour | None:
        return self.parsed(name, "", lambda text: parse(text) if text else None, None)

    def secret(self, folder: Path, need: Need) -> Secret:
        path = folder / need.value
        try:
            value = path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            self.mistakes.append(f"{path}: {getattr(error, 'strerror', None) or 'not text'}")
            return Secret("")
        if not value:
            self.mistakes.append(f"{path}: empty")
        return Secret(value)


def read_settings(environ: Mapping[str, str], needs: frozenset[Need], now: datetime | None = None) -> Settings:
    """Read all settings and the secrets that are needed; SettingsError lists every mistake."""
    moment = now or datetime.now(UTC)
    reader = _Reader(environ)
    folder = Path(reader.text("ACTIVITY_SECRETS", "/run/secrets"))
    projects = _projects(reader) if Need.PROJECTS in needs else ()
    settings = Settings(
        database_host=reader.text("ACTIVITY_DATABASE_HOST", "db_haproxy"),
        database_port=reader.parsed("ACTIVITY_DATABASE_PORT", "5000", _port, 0),
        database_port_read=reader.parsed("ACTIVITY_DATABASE_PORT_READ", "5001", _port, 0),
        secrets={need: reader.secret(folder, need) for need in SECRETS if need in needs},
        projects=projects,
        project=_project(reader, projects, Need.PROJECT in needs),
        minute=_minute(reader, Need.MINUTE in needs),
        archive=_archive(reader, moment),
        backups=_backups(reader),
        docker_url=reader.parsed("ACTIVITY_DOCKER_URL", "http://admin_socket-proxy:2375", _web_url, ""),
        patroni=reader.parsed("ACTIVITY_PATRONI", "", _web_urls, ()),
        connection_limits=reader.parsed("ACTIVITY_CONNECTION_LIMITS", "", _limits, {}),
        listen=reader.parsed("ACTIVITY_LISTEN", "0.0.0.0:8080", _listen, Listen("", 0)),
        linger=reader.parsed("ACTIVITY_LINGER", "0s", parse_duration, timedelta()),
        patience=reader.parsed("ACTIVITY_PATIENCE", "15m", parse_duration, timedelta()),
        domain=reader.text("ACTIVITY_DOMAIN", "swarmstats.localhost"),
        public_url=reader.parsed("ACTIVITY_PUBLIC_URL", "http://swarmstats.localhost", _web_url, ""),
    )
    if reader.mistakes:
        raise SettingsError(reader.mistakes)
    return settings


def _projects(reader: _Reader) -> tuple[Project, ...]:
    projects, mistakes = read_projects(Path(reader.text("ACTIVITY_PROJECTS", "/etc/swarmstats/projects.json")))
    reader.mistakes.extend(mistakes)
    return projects


def _project(reader: _Reader, projects: tuple[Project, ...], needed: bool) -> Project | None:
    name = reader.text("ACTIVITY_PROJECT", "")
    if not name:
        if needed:
            reader.mistakes.append("ACTIVITY_PROJECT: expected the name of a project, found nothing")
        return None
    found = next((project for project in projects if project.name == name), None)
    if found is None and projects:
        names = ", ".join(project.name for project in projects)
        reader.mistakes.append(f"ACTIVITY_PROJECT: expected one of {names}, found {name!r}")
    return found


def _minute(reader: _Reader, needed: bool) -> int:
    if not needed:
        return 0
    return reader.parsed("ACTIVITY_MINUTE", "", lambda text: _whole(text, 0, 59), 0)


def _archive(reader: _Reader, now: datetime) -> Archive:
    archive = Archive(
        url=reader.parsed("ACTIVITY_ARCHIVE_URL", "https://data.gharchive.org", _archive_url, ""),
        since=reader.optional_hour("ACTIVITY_ARCHIVE_FROM", lambda text: parse_since(text, now)),
        simulated_since=reader.optional_hour("ACTIVITY_ARCHIVE_SIMULATE_FROM", lambda text: parse_since(text, now)),
        until=reader.optional_hour("ACTIVITY_ARCHIVE_TO", parse_hour),
        simulate=reader.parsed("ACTIVITY_ARCHIVE_SIMULATE", "never", _simulate, Simulate.NEVER),
        cache=Path(reader.text("ACTIVITY_ARCHIVE_CACHE", f"{gettempdir()}/activity-archive")),
        case_sensitive=reader.parsed("ACTIVITY_ARCHIVE_CASE_SENSITIVE", "false", _flag, False),
        skip=reader.parsed("ACTIVITY_ARCHIVE_SKIP", SKIP, _hours, frozenset()),
        retry=reader.parsed("ACTIVITY_ARCHIVE_RETRY", "1m", parse_duration, timedelta()),
        give_up=reader.parsed("ACTIVITY_ARCHIVE_GIVE_UP", "7d", parse_duration, timedelta()),
    )
    if archive.since and archive.until and archive.since > archive.until:
        reader.mistakes.append(
            f"ACTIVITY_ARCHIVE_TO: expected {archive.since} (ACTIVITY_ARCHIVE_FROM) or later, found {archive.until}"
        )
    return archive


def _backups(reader: _Reader) -> Backups:
    return Backups(
        folder=Path(reader.text("ACTIVITY_BACKUP_FOLDER", "/data/backups")),
        full=reader.parsed("ACTIVITY_BACKUP_FULL", "30 1 * * sun", _schedule, ""),
        differential=reader.parsed("ACTIVITY_BACKUP_DIFFERENTIAL", "30 1 * * mon-sat", _schedule, ""),
        dumps=reader.parsed("ACTIVITY_BACKUP_DUMPS", "30 3 * * *", _schedule, ""),
        verify=reader.parsed("ACTIVITY_BACKUP_VERIFY", "30 5 * * mon", _schedule, ""),
        keep_dumps=reader.parsed("ACTIVITY_BACKUP_KEEP_DUMPS", "7", lambda text: _whole(text, 1, 10000), 1),
        processes=reader.parsed("ACTIVITY_BACKUP_PROCESSES", "2", lambda text: _whole(text, 1, 64), 1),
        scratch=Path(reader.text("ACTIVITY_BACKUP_SCRATCH", "/var/lib/verify")),
    )


def _schedule(text: str) -> str:
    """Five fields of cron; days of the week have names, because programs disagree on which day has the number 0."""
    fields = text.split()
    if len(fields) != 5 or not all(re.fullmatch(r"[0-9*/,a-z-]+", field) for field in fields):
        raise ValueError(f"expected five cron fields such as '30 1 * * sun', found {text!r}")
    if re.search(r"[0-9]", fields[4]) and not fields[4].startswith("*"):
        raise ValueError(f"expected days of the week by name (sun, mon-fri), found {fields[4]!r}")
    return " ".join(fields)


def _whole(text: str, low: int, high: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise ValueError(f"expected a whole number {low}..{high}, found {text!r}")
    return int(text)


def _limits(text: str) -> dict[str, int]:
    pairs = [word.partition("=") for word in text.split()]
    return {role: _whole(count, 1, 100_000) for role, _, count in pairs}


def _hours(text: str) -> frozenset[Hour]:
    return frozenset() if text == "none" else frozenset(parse_hour(word.strip()) for word in text.split(","))


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"expected true or false, found {text!r}")
    return text == "true"


def _port(text: str) -> int:
    return _whole(text, 1, 65535)


def _listen(text: str) -> Listen:
    host, colon, port = text.rpartition(":")
    if not colon:
        raise ValueError(f"expected HOST:PORT such as 0.0.0.0:8080, found {text!r}")
    return Listen(host.strip("[]"), _whole(port, 0, 65535))


def _simulate(text: str) -> Simulate:
    try:
        return Simulate(text)
    except ValueError:
        allowed = ", ".join(choice.value for choice in Simulate)
        raise ValueError(f"expected one of {allowed}, found {text!r}") from None


def _web_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"expected an http or https URL, found {text!r}")
    return text.rstrip("/")


def _web_urls(text: str) -> tuple[str, ...]:
    return tuple(_web_url(word) for word in text.split())


def _archive_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return text.rstrip("/")
    try:
        return _web_url(text)
    except ValueError:
        raise ValueError(f"expected an http, https or file:/// URL, found {text!r}") from None
