"""What the cluster is to be told against what it is told, and what its servers do by."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from swarm import postgres
from swarm.db.members import Database, query


@dataclass(frozen=True)
class Setting:
    """One setting; `wanted` is what the environment says, `actual` what the cluster has; None where it is not there."""

    name: str
    wanted: str | None
    actual: str | None

    @property
    def state(self) -> str:
        """Whether a deploy would change it."""
        return "as wanted" if self.wanted == self.actual else "a deploy changes it"


def compare(database: Database) -> list[Setting]:
    """All settings of the cluster, or of the one server; raises DatabaseUnwell."""
    known = postgres.of(database.environment)
    if database.clustered:
        want, have = dict(_leaves(known.cluster)), dict(_leaves(database.ask("/config")))
    else:
        want = known.parameters
        have = {
            row[0]: row[1] for row in database.sql("postgres", query("settings")) if row[0] in want and len(row) == 2
        }
    return [Setting(name, want.get(name), have.get(name)) for name in sorted({*want, *have})]


def _leaves(found: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in found.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            yield f"{prefix}{key}", "; ".join(str(item) for item in value)
        else:
            yield f"{prefix}{key}", str(value)
