"""The backups of the cluster: what is in pgBackRest's repository, and how one is made on the leader.

A backup needs the files of a member, so it runs there: the leader, found through the database's one address, is asked
to start it. It runs apart from the connection that asked: it neither delays a switchover nor ends with this process.
"""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex
from threading import Event as Signal
from typing import Any

import orjson
from psycopg2 import sql

from activity.backup import process, repository_config
from activity.database.connect import Role, connect
from activity.database.queries import composed, query
from activity.errors import BackupFailed, BackupRunning, DatabaseUnavailable
from activity.settings import Settings

STANZA = "main"
POLL_SECONDS = 2.0
# For so long the leader may be away (a switchover, a failover) before a backup that runs is given up.
LEADER_TIMEOUT_SECONDS = 120.0
LOCKED_EXIT_CODE = 50
# pgBackRest asks nine times in a row, a minute each; an answer that comes is there in one or two seconds.
INFO_TIMEOUT_SECONDS = 12.0
UNREACHABLE_STATUS = 99


@dataclass(frozen=True)
class Backup:
    """One backup of the cluster; `repository_bytes` is what it takes up, `bytes` what it restores to."""

    label: str
    kind: str
    started_at: datetime
    ended_at: datetime
    bytes: int
    repository_bytes: int
    broken: bool


@dataclass(frozen=True)
class Repository:
    """What pgBackRest has: backups, oldest first, and the archive of WAL; `problem` says why it offers nothing."""

    backups: tuple[Backup, ...]
    archive_first: str
    archive_last: str
    problem: str = ""

    def newest(self, *kinds: str) -> Backup | None:
        """The newest backup that is whole, of these kinds or any."""
        whole = [item for item in self.backups if not item.broken and (not kinds or item.kind in kinds)]
        return whole[-1] if whole else None

    def oldest(self) -> Backup | None:
        """The oldest backup that is whole."""
        return next((item for item in self.backups if not item.broken), None)

    def suited(self, to: datetime | None) -> Backup | None:
        """The newest backup that is whole and that replay can begin from to get to a moment, or to the newest WAL."""
        whole = [item for item in self.backups if not item.broken and (to is None or item.ended_at < to)]
        return whole[-1] if whole else None

    def last(self, *kinds: str) -> Backup | None:
        """The newest backup of these kinds or any, whole or not."""
        made = [item for item in self.backups if not kinds or item.kind in kinds]
        return made[-1] if made else None


def read() -> Repository:
    """Ask pgBackRest what is there; BackupFailed when it cannot tell, or not soon."""
    try:
        told = process.run(("pgbackrest", f"--stanza={STANZA}", "--output=json", "info"), seconds=INFO_TIMEOUT_SECONDS)
    except TimeoutError as error:
        where = repository_config.read()
        raise BackupFailed(f"{where} does not answer: {where.reason()}.") from error
    return interpret(orjson.loads(told))


def interpret(told: list[dict[str, Any]]) -> Repository:
    """What `pgbackrest info` tells as JSON -> Repository; BackupFailed when it says that it could not look."""
    stanza = next((item for item in told if item["name"] == STANZA), None)
    if stanza is None:
        return Repository((), "", "", "no backup has been made yet")
    if stanza["status"]["code"] == UNREACHABLE_STATUS:
        raise BackupFailed(f"{repository_config.read()} does not answer correctly: {_reason(stanza)}.")
    archives = [item for item in stanza.get("archive") or () if item.get("min")]
    status = stanza["status"]
    return Repository(
        backups=tuple(_backup(item) for item in stanza.get("backup") or ()),
        archive_first=str(archives[0]["min"]) if archives else "",
        archive_last=str(archives[-1]["max"]) if archives else "",
        problem="" if status["code"] == 0 else str(status["message"]),
    )


def _reason(stanza: dict[str, Any]) -> str:
    """The first line of what went wrong, without the name of the error."""
    said = next((item["status"]["message"] for item in stanza.get("repo") or () if item["status"]["code"]), "")
    first = str(said or stanza["status"]["message"]).partition("\n")[0]
    return first.partition("] ")[2].rstrip(":.") if first.startswith("[") else first.rstrip(":.")


def _backup(told: dict[str, Any]) -> Backup:
    size, times = told["info"], told["timestamp"]
    return Backup(
        label=str(told["label"]),
        kind=str(told["type"]),
        started_at=datetime.fromtimestamp(int(times["start"]), UTC),
        ended_at=datetime.fromtimestamp(int(times["stop"]), UTC),
        bytes=int(size["size"]),
        repository_bytes=int(size["repository"].get("delta") or size["repository"].get("size") or 0),
        broken=bool(told.get("error")),
    )


def make(settings: Settings, kind: str, stop: Signal, beat: Callable[[], None] = lambda: None) -> Backup:
    """Make a backup (`full` or `diff`) on the leader and return it; BackupRunning or BackupFailed when none is made."""
    # First: what is begun on the leader waits much longer for a repository that is silent.
    before = read().last()
    _prepare(settings)
    # A backup of damaged data counts like any other where old ones are removed: it must not cost one that is whole.
    words = ("backup", f"--type={kind}", f"--stanza={STANZA}", "--no-expire-auto")
    code, said = _apart(settings, words, stop, beat)
    if code == LOCKED_EXIT_CODE:
        raise BackupRunning("Another backup of the cluster is running.See ./run db.backups.")
    if code:
        raise BackupFailed(f"pgBackRest exited with {code}: {said or 'no output'}")
    made = read().last()
    if made is None or (before is not None and made.label == before.label):
        raise BackupFailed("pgBackRest reported success, but the repository has no new backup.")
    if made.broken:
        raise BackupFailed(
            f"{made.label} contains pages with invalid checksums: data on the leader's disk is damaged ({said}). "
            "Older backups are kept. If a replica is healthy, make it the leader with ./run db.switchover."
        )
    _expire(settings, made, stop, beat)
    return made


def _expire(settings: Settings, made: Backup, stop: Signal, beat: Callable[[], None]) -> None:
    """Remove what is older than is to be kept; whoever has the lock does so, too."""
    code, said = _apart(settings, ("expire", f"--stanza={STANZA}"), stop, beat)
    if code not in (0, LOCKED_EXIT_CODE):
        raise BackupFailed(
            f"{made.label} was made, but older backups could not be removed (pgBackRest exited with {code}): {said}"
        )


def _prepare(settings: Settings) -> None:
    """Make the stanza, which may be repeated; one of another cluster is refused by pgBackRest."""
    code, said = _whole(on_leader(settings, ("pgbackrest", "stanza-create", f"--stanza={STANZA}")))
    if code == LOCKED_EXIT_CODE:
        raise BackupRunning("Another backup of the cluster is running.")
    if code:
        raise BackupFailed(
            f"The repository rejected this cluster (pgBackRest exited with {code}): {said}\n"
            "If it holds the backups of a lost cluster, restore that with ./run db.restore; "
            "to start over, move backups/cluster on the shared storage aside."
        )


def _apart(settings: Settings, words: tuple[str, ...], stop: Signal, beat: Callable[[], None]) -> tuple[int, str]:
    """Run pgbackrest apart on the leader and follow it there; a leader that changes meanwhile ends it."""
    identity = token_hex(8)
    on_leader(settings, ("pgbackrest-apart", "start", identity, *words))
    silent = 0.0
    while silent < LEADER_TIMEOUT_SECONDS:
        if stop.wait(POLL_SECONDS):
            raise BackupRunning("Stopped while a backup is running; the backup continues on the leader.")
        beat()
        try:
            code, said = _whole(on_leader(settings, ("pgbackrest-apart", "look", identity)), ended=False)
        except DatabaseUnavailable:
            silent += POLL_SECONDS
            continue
        silent = 0.0
        if code is not None:
            return code, said
    raise BackupFailed(f"The database had no leader for {LEADER_TIMEOUT_SECONDS:.0f} s while a backup was running.")


def on_leader(settings: Settings, argv: tuple[str, ...]) -> list[str]:
    """Run a short command as postgres beside the leader; its lines, the last of which is exit=CODE."""
    program = f"{{ {shlex.join(argv)}; }} 2>&1; echo exit=$?"
    if argv[0] == "pgbackrest-apart" and argv[1] == "look":
        program = shlex.join(argv)
    with (
        connect(settings, "postgres", Role.SUPERUSER) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(query("backup/create_said"))
        cursor.execute(composed("backup/run_program", program=sql.Literal(program)))
        cursor.execute(query("backup/read_said"))
        return [str(row[0] or "") for row in cursor.fetchall()]


def _whole(lines: list[str], *, ended: bool = True) -> tuple[Any, str]:
    """The exit code that the last line tells (None while there is none), and what was said before."""
    last = lines[-1] if lines else ""
    if not last.startswith("exit="):
        if ended:
            raise BackupFailed(f"A command on the leader returned no exit code: {' '.join(lines)[-500:]}")
        return None, ""
    word = last.removeprefix("exit=")
    said = "; ".join(line.strip() for line in lines[:-1] if line.strip())[-1500:]
    if word == "gone":
        raise BackupFailed("The leader changed; the backup that was running on the former leader is void.")
    return int(word), said
