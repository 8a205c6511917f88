"""Switchover of the leader and reinitialization of a member."""

import time
from contextlib import suppress

from swarm.database.members import STACK, Database, Member
from swarm.errors import DatabaseUnhealthy, UnknownName
from swarm.report import Report
from swarm.wait import until

PATRONICTL = ("patronictl", "-c", "/run/patroni")
REINIT_SECONDS = 300.0
SWITCHOVER_SECONDS = 60.0


def switchover(database: Database, to: str, report: Report, *, dry: bool = False) -> None:
    """Let another member lead and wait until all follow it; raises UnknownName or DatabaseUnhealthy."""
    database.require_cluster()
    members, leader = database.members(), database.leader()
    if to:
        _known(to, members)
    if to == leader:
        report.line(f"{leader} is already the leader.")
        return
    if dry:
        report.would([f"switch the leader from {leader} to {to or 'the replica with the least lag'}"], "")
        return
    with report.step("switchover") as step:
        candidate = ("--candidate", to) if to else ()
        argv = (*PATRONICTL, "switchover", "--leader", leader, *candidate, "--force", STACK)
        said = _handed_over(database, leader, argv)
        _wait(database, f"not all members follow the new leader: {said}")
        step.detail = f"{leader} -> {database.leader()}"


def _handed_over(database: Database, leader: str, argv: tuple[str, ...]) -> str:
    """Ask until another member leads: it is refused while the leader has not yet noticed that the others are well."""
    end, said = time.monotonic() + SWITCHOVER_SECONDS, ""
    while time.monotonic() < end:
        with suppress(DatabaseUnhealthy):
            said = database.run(leader, *argv)
        with suppress(DatabaseUnhealthy):
            if database.leader() != leader:
                return said
        time.sleep(2)
    reason = " ".join(said.split()) or "the leader refuses"
    raise DatabaseUnhealthy(
        f"{leader} is still the leader after {SWITCHOVER_SECONDS:.0f} s: {reason[:300]}", hint="./run db.status"
    )


def reinit(database: Database, name: str, report: Report, *, dry: bool = False) -> None:
    """Reinitialize a replica from the leader and wait until it streams; raises UnknownName or DatabaseUnhealthy."""
    database.require_cluster()
    _known(name, database.members())
    leader = database.leader()
    if name == leader:
        raise DatabaseUnhealthy(
            f"{name} is the leader and cannot be reinitialized.", hint="Run ./run db.switchover first."
        )
    if dry:
        report.would([f"remove the data of {name} and copy it again from {leader}"], "")
        return
    with report.step(f"reinit {name}") as step:
        database.run(leader, *PATRONICTL, "reinit", STACK, name, "--force", "--wait")
        _wait(database, f"{name} does not stream from the leader")
        step.detail = f"copied from {leader}"


def _known(name: str, members: list[Member]) -> None:
    names = [member.name for member in members]
    if name not in names:
        raise UnknownName("member", name, names)


def _wait(database: Database, problem: str) -> None:
    if not until(lambda: _whole(database), REINIT_SECONDS, every=1):
        raise DatabaseUnhealthy(f"After {REINIT_SECONDS:.0f} s {problem}.", hint="./run db.status, ./run logs db")


def _whole(database: Database) -> bool:
    try:
        members = database.members()
    except DatabaseUnhealthy:
        return False
    followers = [member for member in members if not member.leads]
    return (
        len(members) == len(database.names)
        and any(member.leads and member.state == "running" for member in members)
        and all(member.state == "streaming" for member in followers)
    )
