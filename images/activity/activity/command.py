"""The command line: the verbs and their arguments."""

import argparse
from datetime import datetime
from typing import NoReturn

from activity.errors import UsageError
from activity.hour import Hour, parse_hour
from activity.times import parse_time

MAX_JOBS = 64


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}. See {self.prog} --help.")


def parse_command(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; UsageError says what was expected."""
    parser = _Parser(
        prog="activity", description="The service of the platform. Configured by ACTIVITY_* variables and secrets."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("bootstrap", help="create the roles and the log database, or rotate their passwords")
    verbs.add_parser("configure", help="apply the settings in ACTIVITY_CLUSTER to the cluster at ACTIVITY_PATRONI")
    ingest = verbs.add_parser("ingest", help="follow the archive; with --from and --to, read these hours and exit")
    _add_hours(ingest, required=False)
    ingest.add_argument("--project", action="append", default=[], help="only this project; may be repeated")
    ingest.add_argument("--newest-first", action="store_true", help="start with the newest hour")
    ingest.add_argument(
        "--jobs", type=_jobs, default=0, help="number of parallel reader processes (0: read in this process)"
    )
    ingest.add_argument(
        "--force", action="store_true", help="read hours that are already stored again and merge new events"
    )
    verbs.add_parser("holes", help="list missing hours and why")
    status = verbs.add_parser("status", help="print the status of projects, one line of JSON each")
    status.add_argument("--project", action="append", default=[], help="only this project; may be repeated")
    drop = verbs.add_parser("drop", help="drop the database of a project that is no longer followed")
    drop.add_argument("database", help="its name")
    verbs.add_parser("sync", help="keep the series of ACTIVITY_PROJECT up to date")
    series = verbs.add_parser("series", help="compute pending series and exit")
    series.add_argument("--project", help="only this project (default: ACTIVITY_PROJECT, or all)")
    series.add_argument("--all-periods", action="store_true", help="compute all periods, not only pending ones")
    simulate = verbs.add_parser("simulate", help="write simulated hours to ACTIVITY_ARCHIVE_CACHE")
    _add_hours(simulate, required=True)
    verbs.add_parser("serve", help="serve the portal")
    verbs.add_parser("probe", help="run the stack tests of the file ACTIVITY_PROBE, one line of JSON each")
    _add_backup(verbs.add_parser("backup", help="make, verify and restore backups and dumps"))
    command = parser.parse_args(arguments)
    _check_hours(command)
    return command


def _add_backup(backup: argparse.ArgumentParser) -> None:
    words = backup.add_subparsers(dest="word", required=True, metavar="WORD")
    words.add_parser("keep", help="make backups and dumps on schedule until stopped")
    cluster = words.add_parser("cluster", help="back up the whole cluster now")
    cluster.add_argument("--full", action="store_true", help="make a full backup (default: differential)")
    words.add_parser("flush", help="archive all WAL written until now")
    words.add_parser("show", help="print all backups and dumps as one line of JSON")
    words.add_parser("verify", help="restore the newest backup into a scratch instance and check it")
    for word, meaning in (("dump", "dump a project now"), ("vacuum", "vacuum and analyze a project's database")):
        words.add_parser(word, help=meaning).add_argument("project", nargs="?", help="default: all")
    restore = words.add_parser("restore", help="restore a project's database from a dump")
    restore.add_argument("project")
    restore.add_argument("--dry", action="store_true", help="only print which dump would be restored")
    volume = words.add_parser("restore-volume", help="restore the cluster into the volume of a stopped member")
    for parser in (restore, volume):
        parser.add_argument(
            "--to", type=_time, metavar="TIME", help="restore to this point in time, such as 2026-01-01T12:00:00Z"
        )
    volume.add_argument(
        "--timeline", type=_timeline, metavar="N", help="recover along this timeline (default: the newest)"
    )
    volume.add_argument("--at-least", type=_time, metavar="TIME", help="fail unless recovery reaches this time")
    aside = words.add_parser("aside", help="move the data in the volume of a stopped member aside")
    state = words.add_parser("state", help="print the state of a member's volume as one line of JSON")
    for parser in (volume, aside, state):
        parser.add_argument("--volume", default="/var/lib/postgresql/data", help="where the volume is mounted")


def _timeline(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**31:
        raise argparse.ArgumentTypeError(f"expected a timeline such as 3, found {text!r}")
    return int(text)


def _time(text: str) -> datetime:
    try:
        return parse_time(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


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


def _check_hours(command: argparse.Namespace) -> None:
    first, last = getattr(command, "from_hour", None), getattr(command, "to_hour", None)
    if (first is None) != (last is None) and not getattr(command, "project", None):
        raise UsageError("--from and --to must be used together. See activity ingest --help.")
    if getattr(command, "force", False) and first is None:
        raise UsageError("--force needs --from and --to. See activity ingest --help.")
    if first is not None and last is not None and first > last:
        raise UsageError(f"--from {first} is after --to {last}. Swap them.")


def _jobs(text: str) -> int:
    if not text.isdecimal() or int(text) > MAX_JOBS:
        raise argparse.ArgumentTypeError(f"expected a number up to {MAX_JOBS}, found {text!r}")
    return int(text)


def _hour(text: str) -> Hour:
    try:
        return parse_hour(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
