"""Patroni's API: who is a member, what the cluster is told, and the few things that may be asked of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from activity.errors import DatabaseUnavailable
from activity.secret import Secret

TIMEOUT_SECONDS = 5.0
# A restart or a switchover answers when it is done.
LONG_TIMEOUT_SECONDS = 120.0
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Member:
    """One member as the cluster sees it."""

    name: str
    url: str
    role: str
    state: str
    lag: int | None
    pending: bool

    @property
    def leads(self) -> bool:
        """Whether it takes writes."""
        return self.role == "leader"


class Patroni:
    """The cluster behind the addresses of its members; the first that answers speaks for all."""

    def __init__(self, urls: Sequence[str], password: Secret) -> None:
        self.urls = urls
        # Neighbours in the swarm are no business of a proxy.
        auth = httpx.BasicAuth("patroni", password.reveal())
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, auth=auth)

    def members(self) -> list[Member]:
        """All members, the leader among them. Raises DatabaseUnavailable."""
        return [_member(item) for item in self._ask("/cluster").get("members", [])]

    def settings(self) -> dict[str, Any]:
        """What the cluster is told: its document in etcd. Raises DatabaseUnavailable."""
        return self._ask("/config")

    def change(self, difference: Mapping[str, Any]) -> None:
        """Merge a difference into the document; null removes a key. Raises DatabaseUnavailable."""
        self._first(lambda url: self._client.patch(f"{url}/config", json=difference))

    def restart(self, member: Member) -> None:
        """Restart the server of a member. Raises DatabaseUnavailable with what it says."""
        self._demand(member.url, self._sent(f"{member.url}/restart", {"timeout": LONG_TIMEOUT_SECONDS}))

    def switch_over(self, leader: Member) -> None:
        """Let another member lead. Raises DatabaseUnavailable with what the leader says."""
        self._demand(leader.url, self._sent(f"{leader.url}/switchover", {"leader": leader.name}))

    def _sent(self, url: str, body: Mapping[str, Any]) -> httpx.Response:
        try:
            return self._client.post(url, json=body, timeout=LONG_TIMEOUT_SECONDS)
        except httpx.HTTPError as error:
            raise DatabaseUnavailable(f"{url} does not answer ({type(error).__name__}).") from error

    def _ask(self, path: str) -> dict[str, Any]:
        found = self._first(lambda url: self._client.get(f"{url}{path}")).json()
        return found if isinstance(found, dict) else {}

    def _first(self, ask: Callable[[str], httpx.Response]) -> httpx.Response:
        problem = "none is configured"
        for url in self.urls:
            try:
                return self._demand(url, ask(url))
            except httpx.HTTPError as error:
                problem = f"{url}: {type(error).__name__}"
        raise DatabaseUnavailable(f"No cluster member answers ({problem}). Check that the db stack is healthy.")

    def _demand(self, url: str, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        raise DatabaseUnavailable(f"{url} answered {answer.status_code}: {answer.text.strip()[:300]}.")


def _member(item: Mapping[str, Any]) -> Member:
    lag = item.get("lag")
    return Member(
        name=str(item["name"]),
        url=str(item.get("api_url", "")).removesuffix("/patroni"),
        role=str(item.get("role", "")),
        state=str(item.get("state", "")),
        lag=lag if isinstance(lag, int) else None,
        pending=bool(item.get("pending_restart")),
    )
