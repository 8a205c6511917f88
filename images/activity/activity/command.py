"""The command line: the verbs and their arguments."""

import argparse
from datetime import UTC, datetime
from enum import StrEnum
from typing import NoReturn, TypeVar

from activity.archive.simulate.damage import Damage
from activity.archive.simulate.event_factory import Shape
from activity.errors import UsageError
from activity.hour import Hour, parse_hour

MOST_JOBS = 64


Kind = TypeVar("Kind", bound=StrEnum)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}. See {self.prog} --help.")


def parse_command(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; UsageError says what was expected."""
    parser = _Parser(prog="activity", description="The service of the platform. Settings: ACTIVITY_* and secrets.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("bootstrap", help="create the roles and the log database, or rotate their passwords")
    verbs.add_parser("configure", help="bring the cluster of ACTIVITY_PATRONI to the settings of ACTIVITY_CLUSTER")
    ingest = verbs.add_parser("ingest", help="follow the archive; with --from and --to read these hours and exit")
    _add_hours(ingest, required=False)
    ingest.add_argument("--project", action="append", default=[], help="for this project only; may be given again")
    ingest.add_argument("--newest-first", action="store_true", help="begin with the newest hour")
    ingest.add_argument("--jobs", type=_jobs, default=0, help="processes that read side by side (0: this one reads)")
    ingest.add_argument("--force", action="store_true", help="read hours again that are held, and merge what is new")
    verbs.add_parser("holes", help="say which hours are lacking and why")
    status = verbs.add_parser("status", help="say how it stands with projects, a line of JSON each")
    status.add_argument("--project", action="append", default=[], help="this project only; may be given again")
    drop = verbs.add_parser("drop", help="drop the database of a project that is no longer followed")
    drop.add_argument("database", help="its name")
    verbs.add_parser("sync", help="keep the series of ACTIVITY_PROJECT up to date")
    series = verbs.add_parser("series", help="compute the series that are pending and exit")
    series.add_argument("--project", help="one project only (else ACTIVITY_PROJECT, else all)")
    series.add_argument("--all-periods", action="store_true", help="compute everything, not only what is pending")
    simulate = verbs.add_parser("simulate", help="write simulated hours to ACTIVITY_ARCHIVE_CACHE")
    _add_hours(simulate, required=True)
    _add_volume(simulate)
    verbs.add_parser("serve", help="serve the portal")
    verbs.add_parser("probe", help="run the stack tests of the file ACTIVITY_PROBE, one line of JSON each")
    _add_backup(verbs.add_parser("backup", help="make, keep, check and restore backups and dumps"))
    command = parser.parse_args(arguments)
    _check_hours(command)
    return command


def _add_backup(backup: argparse.ArgumentParser) -> None:
    words = backup.add_subparsers(dest="word", required=True, metavar="WORD")
    words.add_parser("keep", help="make backups and dumps when they are due, until stopped")
    cluster = words.add_parser("cluster", help="back up the whole cluster now")
    cluster.add_argument("--full", action="store_true", help="all of it, not only what changed since the last full one")
    words.add_parser("flush", help="have everything that was committed until now archived")
    words.add_parser("show", help="all backups and dumps, as one line of JSON")
    words.add_parser("verify", help="restore the newest backup into an instance of its own and check it")
    for word, meaning in (("dump", "dump a project now"), ("vacuum", "vacuum and analyze a project's database")):
        words.add_parser(word, help=meaning).add_argument("project", nargs="?", help="without one: all")
    restore = words.add_parser("restore", help="bring a project's database to what its newest dump holds")
    restore.add_argument("project")
    restore.add_argument("--dry", action="store_true", help="only say which dump that would be")
    volume = words.add_parser("restore-volume", help="restore the whole cluster into the volume of a stopped member")
    for parser in (restore, volume):
        parser.add_argument("--to", type=_moment, metavar="TIME", help="as it was then, such as 2026-01-01T12:00:00Z")
    volume.add_argument("--timeline", type=_timeline, metavar="N", help="of that timeline (default: the newest)")
    volume.add_argument("--at-least", type=_moment, metavar="TIME", help="refuse what does not come as far as that")
    aside = words.add_parser("aside", help="set the data in the volume of a stopped member aside")
    state = words.add_parser("state", help="what lies in the volume of a member, as one line of JSON")
    for parser in (volume, aside, state):
        parser.add_argument("--volume", default="/var/lib/postgresql/data", help="where the volume is mounted")


def _timeline(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**31:
        raise argparse.ArgumentTypeError(f"{text!r} is no timeline such as 3")
    return int(text)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-01-01T12:00:00Z") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _add_hours(parser: argparse.ArgumentParser, *, required: bool) -> None:
    for option, meaning in (("--from", "the first hour"), ("--to", "the last hour, included")):
        parser.add_argument(
            option,
            dest=option.strip("-") + "_hour",
            type=_hour,
            required=required,
            metavar="HOUR",
            help=f"{meaning}, such as 2015-01-01-0",
        )


def _add_volume(parser: argparse.ArgumentParser) -> None:
    shapes, damages = ", ".join(Shape), ", ".join(Damage)
    parser.add_argument("--shape", type=_shape, help=f"hours as the archive's at any size: {shapes} (else small ones)")
    parser.add_argument("--events", type=_count, default=10_000, metavar="NUMBER", help="with --shape: how many events")
    parser.add_argument("--hits", type=_share, default=0.01, metavar="SHARE", help="with --shape: of projects, 0 to 1")
    parser.add_argument("--seed", type=int, default=0, metavar="NUMBER", help="with --shape: others are other hours")
    parser.add_argument(
        "--damage", type=_damages, default=frozenset(), metavar="KINDS", help=f"with --shape: {damages}"
    )


def _shape(text: str) -> Shape:
    return _chosen(Shape, text)


def _damages(text: str) -> frozenset[Damage]:
    return frozenset(_chosen(Damage, word) for word in text.split(","))


def _chosen(kinds: type[Kind], text: str) -> Kind:
    try:
        return kinds(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(kinds)}, found {text!r}") from None


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000_000:
        raise argparse.ArgumentTypeError(f"expected a number 1..10000000, found {text!r}")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"expected a number 0..1 such as 0.01, found {text!r}")
    return share


def _check_hours(command: argparse.Namespace) -> None:
    first, last = getattr(command, "from_hour", None), getattr(command, "to_hour", None)
    if (first is None) != (last is None) and not getattr(command, "project", None):
        raise UsageError("--from and --to come together. See activity ingest --help.")
    if getattr(command, "force", False) and first is None:
        raise UsageError("--force needs --from and --to. See activity ingest --help.")
    if first is not None and last is not None and first > last:
        raise UsageError(f"--from {first} is after --to {last}. Swap them.")


def _jobs(text: str) -> int:
    if not text.isdecimal() or int(text) > MOST_JOBS:
        raise argparse.ArgumentTypeError(f"expected a number up to {MOST_JOBS}, found {text!r}")
    return int(text)


def _hour(text: str) -> Hour:
    try:
        return parse_hour(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
