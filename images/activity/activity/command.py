"""The command line: the verbs and their arguments."""

import argparse
from typing import NoReturn

from activity.errors import UsageError
from activity.hour import Hour, parse_hour

MOST_JOBS = 64


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}. See {self.prog} --help.")


def parse_command(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; UsageError says what was expected."""
    parser = _Parser(prog="activity", description="The service of the platform. Settings: ACTIVITY_* and secrets.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("bootstrap", help="create the roles and the log database, or rotate their passwords")
    ingest = verbs.add_parser("ingest", help="follow the archive; with --from and --to read these hours and exit")
    _add_hours(ingest, required=False)
    ingest.add_argument("--project", action="append", default=[], help="for this project only; may be given again")
    ingest.add_argument("--newest-first", action="store_true", help="begin with the newest hour")
    ingest.add_argument("--jobs", type=_jobs, default=0, help="processes that read side by side (0: this one reads)")
    ingest.add_argument("--force", action="store_true", help="read hours again that are held, and merge what is new")
    verbs.add_parser("holes", help="say which hours are lacking and why")
    verbs.add_parser("sync", help="keep the series of ACTIVITY_PROJECT up to date")
    series = verbs.add_parser("series", help="compute the series that are pending and exit")
    series.add_argument("--project", help="one project only (else ACTIVITY_PROJECT, else all)")
    series.add_argument("--all-periods", action="store_true", help="compute everything, not only what is pending")
    simulate = verbs.add_parser("simulate", help="write simulated hours to ACTIVITY_ARCHIVE_CACHE")
    _add_hours(simulate, required=True)
    verbs.add_parser("serve", help="serve the portal")
    verbs.add_parser("probe", help="run the stack tests of the file ACTIVITY_PROBE, one line of JSON each")
    command = parser.parse_args(arguments)
    _check_hours(command)
    return command


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
