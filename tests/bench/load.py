"""From an hour's file into Postgres, beside gunzipping it alone and beside gha2db's way, in turns in one run.

    PYTHONPATH=.:images/activity .venv/bin/python -m tests.bench.load HOUR PROJECTS [--rounds 5] [--json]

HOUR is a file of the archive, real or simulated, PROJECTS a projects.json with one project; `./run bench.ingest`
makes both.
Without --postgres HOST:PORT:PASSWORD a server of our image is started for it. Each case runs in a process of its own,
bound to one core, on a database made anew; what counts is the median of the rounds' ratios.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event as Signal

import psycopg2
from activity.archive.ingest import Feed, ingest_hour
from activity.database.provision import provision
from activity.database.roles import bootstrap
from activity.database.watermarks import Source
from activity.hour import parse_hour
from activity.settings import SECRETS, Need, Settings, read_settings
from isal import igzip

from tests.bench import gha2db
from tests.support.postgres import PostgresServer, postgres

DATABASE = "bench_load"
MOST_OVER_GUNZIP, LEAST_UNDER_GHA2DB = 3.0, 10.0
# What both ways store; what DevStats derives by scripts afterwards is left out.
COUNTED = ("gha_events", "gha_payloads", "gha_commits", "gha_issues", "gha_pull_requests", "gha_comments", "gha_actors")


@dataclass(frozen=True)
class Round:
    """Seconds of one round, and how many rows were stored by the loader."""

    gunzip: float
    ours: float
    gha2db: float
    rows: int


@dataclass(frozen=True)
class Verdict:
    """Median ratios over all rounds, and whether both goals are met."""

    rounds: list[Round]
    over_gunzip: float
    under_gha2db: float

    @property
    def met(self) -> bool:
        """Whether the loader is as quick as it has to be."""
        return self.over_gunzip <= MOST_OVER_GUNZIP and self.under_gha2db >= LEAST_UNDER_GHA2DB


def measure(
    server: PostgresServer,
    hour: Path,
    projects: Path,
    rounds: int,
    say: Callable[[str], None],
    secrets: Path | None = None,
) -> Verdict:
    """Measure all cases in turns; a server whose roles have passwords already comes with a folder of them."""
    done = []
    with TemporaryDirectory() as folder:
        environ = _environ(server, Path(folder), hour.parent, projects, secrets)
        for number in range(1, rounds + 1):
            gunzip, _ = _alone(_gunzip, str(hour))
            ours, kept = _alone(_load, environ, hour.name)
            theirs, stored = _alone(_load_like_gha2db, environ, str(hour))
            if kept != stored:
                raise SystemExit(f"the two ways stored different rows: {kept} and {stored}")
            done.append(Round(gunzip, ours, theirs, sum(kept.values())))
            say(f"round {number}: gunzip {gunzip:.2f} s, ours {ours:.2f} s, gha2db's way {theirs:.2f} s")
    return Verdict(
        done,
        statistics.median(one.ours / one.gunzip for one in done),
        statistics.median(one.gha2db / one.ours for one in done),
    )


def _alone(case, *arguments):
    """Run a case in a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(case, *arguments).result()


def _bound(work: Callable[[], object]) -> float:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _gunzip(path: str) -> tuple[float, None]:
    def work() -> None:
        with igzip.open(path) as file:
            while file.read(1 << 20):
                pass

    return _bound(work), None


def _load(environ: dict[str, str], name: str) -> tuple[float, dict[str, int]]:
    settings = _anew(environ)
    feed, hour = Feed(environ["ACTIVITY_ARCHIVE_URL"], Source.ARCHIVE), parse_hour(name.partition(".")[0])
    seconds = _bound(lambda: ingest_hour(settings, feed, hour, settings.projects, Signal()))
    return seconds, _rows(settings)


def _load_like_gha2db(environ: dict[str, str], path: str) -> tuple[float, dict[str, int]]:
    settings = _anew(environ)
    connection, project = _connect(settings), settings.projects[0]
    names = (*project.organisations, *project.repositories)
    seconds = _bound(lambda: gha2db.load(path, names, connection))
    connection.close()
    return seconds, _rows(settings)


def _anew(environ: dict[str, str]) -> Settings:
    """Return the settings of a platform whose one project has an empty database."""
    settings = read_settings(environ, frozenset({Need.POSTGRES, Need.OWNER, Need.PROJECTS}))
    connection = _connect(settings, "postgres")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"drop database if exists {DATABASE} with (force)")
        cursor.execute("checkpoint")
    connection.close()
    provision(settings, settings.projects[0])
    return settings


def _connect(settings: Settings, database: str = DATABASE):
    return psycopg2.connect(
        host=settings.database_host,
        port=settings.database_port,
        dbname=database,
        user="postgres",
        password=settings.password(Need.POSTGRES).reveal(),
    )


def _rows(settings: Settings) -> dict[str, int]:
    connection = _connect(settings)
    counts = {}
    with connection.cursor() as cursor:
        for table in COUNTED:
            cursor.execute(f"select count(*) from {table}")
            counts[table] = cursor.fetchone()[0]
    connection.close()
    return counts


def _environ(
    server: PostgresServer, folder: Path, archive: Path, projects: Path, secrets: Path | None
) -> dict[str, str]:
    (project,) = json.loads(projects.read_text())["projects"]
    (folder / "projects.json").write_text(json.dumps({"projects": [{**project, "database": DATABASE}]}))
    environ = {
        "ACTIVITY_DATABASE_HOST": server.host,
        "ACTIVITY_DATABASE_PORT": str(server.port),
        "ACTIVITY_DATABASE_PORT_READ": str(server.port),
        "ACTIVITY_SECRETS": str(secrets or folder),
        "ACTIVITY_PROJECTS": str(folder / "projects.json"),
        "ACTIVITY_ARCHIVE_URL": archive.as_uri(),
    }
    if secrets is None:
        for need in SECRETS:
            (folder / need.value).write_text(server.password if need is Need.POSTGRES else need.value)
        bootstrap(read_settings(environ, frozenset(SECRETS)))
    return environ


def main() -> int:
    """Measure, show, and return 1 when a goal is missed; with --json it is for the reader to judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hour", type=Path, metavar="HOUR")
    parser.add_argument("projects", type=Path, metavar="PROJECTS")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postgres", help="HOST:PORT:PASSWORD of a running server that may be written to")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with postgres(options.postgres) as server:
        verdict = measure(
            server, options.hour, options.projects, options.rounds, lambda words: print(words, file=sys.stderr)
        )
    if options.json:
        print(json.dumps(asdict(verdict)))
        return 0
    print(f"end to end: {verdict.over_gunzip:.2f} times gunzipping alone (at most {MOST_OVER_GUNZIP})")
    print(f"quicker than gha2db's way: {verdict.under_gha2db:.1f} times (at least {LEAST_UNDER_GHA2DB})")
    return 0 if verdict.met else 1


if __name__ == "__main__":
    sys.exit(main())
