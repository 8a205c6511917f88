"""Applies the desired settings to a running cluster and restarts the servers that need it, the leader last."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from activity import log
from activity.database.patroni import Member, Patroni
from activity.errors import DatabaseUnavailable, SettingsError

# Keys that other tools manage: a pause for maintenance, replication slots of other readers.
UNMANAGED_KEYS = ("pause", "slots", "ignore_slots", "standby_cluster")
WAIT_SECONDS = 180.0
# Members read the document once per loop; after two loops all of them have.
HA_LOOPS = 2
MAX_RESTART_PASSES = 3


def read_desired_config(path: Path) -> dict[str, Any]:
    """Read the desired configuration document; raises SettingsError."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError([f"{path}: {error}"]) from error
    if not isinstance(found, dict):
        raise SettingsError([f"{path}: expected an object"])
    return found


def difference(want: Mapping[str, Any], have: Mapping[str, Any], *, top: bool = True) -> dict[str, Any]:
    """What to merge into `have` to get `want`; None removes a key."""
    found: dict[str, Any] = {}
    for key in {**want, **have}:
        if key not in want:
            if not (top and key in UNMANAGED_KEYS):
                found[key] = None
        elif isinstance(want[key], Mapping) and isinstance(have.get(key), Mapping):
            if inner := difference(want[key], have[key], top=False):
                found[key] = inner
        elif want[key] != have.get(key):
            found[key] = want[key]
    return found


def paths(found: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a difference, each with its dotted path."""
    for key, value in found.items():
        if isinstance(value, Mapping):
            yield from paths(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def configure(patroni: Patroni, want: Mapping[str, Any]) -> list[str]:
    """Change what differs and restart what needs it; returns what was done. Raises DatabaseUnavailable."""
    _await("a leader and all members", lambda: _whole(patroni))
    done = []
    if change := difference(want, patroni.settings()):
        patroni.change(change)
        for path, value in paths(change):
            log.info("setting changed", setting=path, value="removed" if value is None else json.dumps(value))
            done.append(f"{path} changed")
        sleep(HA_LOOPS * float(want.get("loop_wait", 10)))
    for _ in range(MAX_RESTART_PASSES):
        if not (waiting := [member for member in patroni.members() if member.pending]):
            return done
        # Followers first; of the leader only once it follows, unless it must be the first to change.
        for member in sorted(waiting, key=lambda item: item.leads):
            done.append(_restarted(patroni, member.name, hand_over=not any(member.name in line for line in done)))
    if waiting := [member for member in patroni.members() if member.pending]:
        names = ", ".join(member.name for member in waiting)
        raise DatabaseUnavailable(f"{names} must still be restarted. See ./run db.status.")
    return done


def _restarted(patroni: Patroni, name: str, *, hand_over: bool) -> str:
    _await("a healthy cluster", lambda: _whole(patroni))
    member = _named(patroni, name)
    if member.leads and hand_over:
        log.info("switching over", member=name)
        _await(f"{name} to switch over", lambda: _handed_over(patroni, member))
        _await("a healthy cluster", lambda: _whole(patroni))
        member = _named(patroni, name)
    log.info("restarting", member=name)
    patroni.restart(member)
    _await(f"{name} after its restart", lambda: _whole(patroni))
    return f"{name} restarted"


def _handed_over(patroni: Patroni, leader: Member) -> bool:
    """Patroni rejects a switchover until the leader has noticed that the replicas are healthy again."""
    if not _named(patroni, leader.name).leads:
        return True
    patroni.switch_over(leader)
    return True


def _named(patroni: Patroni, name: str) -> Member:
    return next(member for member in patroni.members() if member.name == name)


def _whole(patroni: Patroni) -> bool:
    """One leader that every other member follows; with synchronous replication, all are quorum standbys."""
    members, told = patroni.members(), patroni.settings()
    followers = [member for member in members if not member.leads]
    synchronous = told.get("synchronous_mode") == "quorum"
    return (
        len(members) == len(patroni.urls)
        and sum(member.leads and member.state == "running" for member in members) == 1
        and all(member.state == "streaming" and member.lag == 0 for member in followers)
        and (not synchronous or all(member.role == "quorum_standby" for member in followers))
    )


def _await(what: str, look: Callable[[], bool]) -> None:
    """Poll until the condition holds; requests that fail are retried until the time is up."""
    end, problem = monotonic() + WAIT_SECONDS, ""
    while monotonic() < end:
        try:
            if look():
                return
        except DatabaseUnavailable as error:
            problem = f": {error}"
        sleep(0.5)
    raise DatabaseUnavailable(f"gave up waiting for {what} after {WAIT_SECONDS:.0f} s{problem}")
