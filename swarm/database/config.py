"""Compares the desired database settings with those of the cluster and of its servers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from swarm.database.members import Database, query
from swarm.settings import postgres

# How the one server was started, as it writes it down itself. Asked, it would tell each setting in words of its own.
STARTED = "/var/lib/postgresql/data/main/postmaster.opts"
OWN = ("config_file",)
BLANKS = str.maketrans("\n\t", "  ")
PARAMETERS = "postgresql.parameters."


@dataclass(frozen=True)
class Setting:
    """One setting; `desired` is what the environment says, `actual` what the cluster has; None where it is not there.

    `refused` marks a setting that the leader rejected.
    """

    name: str
    desired: str | None
    actual: str | None
    refused: bool = False

    @property
    def state(self) -> str:
        """Whether a deploy would change it."""
        if self.refused:
            return "rejected by the leader; see its log"
        return "in effect" if self.desired == self.actual else "changed by the next deploy"


def compare(database: Database) -> list[Setting]:
    """All settings of the cluster, or of the one server; raises DatabaseUnhealthy."""
    known = postgres.of(database.environment)
    if database.clustered:
        want, have = dict(_leaves(known.cluster)), dict(_leaves(database.ask("/config")))
    else:
        want = known.parameters
        have = started_with(database.run("postgres", "cat", STARTED))
    found = [Setting(name, want.get(name), have.get(name)) for name in sorted({*want, *have})]
    if not database.clustered:
        return found
    taken = {name: (value, place) for name, value, place in database.sql(database.leader(), query("taken"))}
    return [with_states(item, taken) for item in found]


def with_states(item: Setting, taken: Mapping[str, tuple[str, str]]) -> Setting:
    """A setting with its state on the leader: Patroni drops or limits invalid values.

    Arguments are in the notation of Postgres, so only numbers are compared.
    """
    name = item.name.removeprefix(PARAMETERS)
    if item.desired is None or item.desired != item.actual or name == item.name:
        return item
    value, place = taken.get(name.lower(), (None, ""))
    alike = place == "argument" and not (item.desired.isdecimal() and str(value).isdecimal())
    # psql separates rows and columns by newlines and tabs, so values contain blanks instead.
    return item if alike or value == item.desired.translate(BLANKS) else replace(item, actual=value, refused=True)


def started_with(text: str) -> dict[str, str]:
    """What postmaster.opts holds (`/bin/postgres "-c" "work_mem=4MB"`) -> settings by name."""
    words = text.strip().partition(' "')[2].removesuffix('"').split('" "')
    told = (word.partition("=") for option, word in pairwise(words) if option == "-c")
    return {name: value for name, _, value in told if name not in OWN}


def _leaves(found: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in found.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            yield f"{prefix}{key}", "; ".join(str(item) for item in value)
        else:
            yield f"{prefix}{key}", str(value)
