"""Stack tests from inside the swarm: TCP, SQL and PromQL, each asked again until it holds or its time is up."""

import json
import operator
import re
import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import httpx

from activity.database.read_only_value import read_only_value
from activity.errors import DatabaseUnavailable, SettingsError
from activity.secret import Secret

POLL_SECONDS = 0.5
ATTEMPT_TIMEOUT_SECONDS = 5.0
MAX_PARALLEL = 8
OPEN = "open"
NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
COMPARISON = re.compile(rf"(==|!=|>=|<=|>|<) *({NUMBER.pattern})")
SECRET = re.compile(r"[a-z0-9][a-z0-9.-]*")
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True)
class Probe:
    """One test: where to ask, what, and what is expected; `secret` names a file, a password stands nowhere else."""

    name: str
    kind: str
    address: str
    timeout: float
    expect: str = OPEN
    query: str = ""
    database: str = ""
    role: str = ""
    secret: str = ""

    @property
    def host_and_port(self) -> tuple[str, int]:
        """The address in its parts."""
        host, _, port = self.address.rpartition(":")
        return host, int(port)


@dataclass(frozen=True)
class Result:
    """What came of a test."""

    kind: str
    name: str
    held: bool
    expected: str
    found: str
    seconds: float


def read_probes(environ: Mapping[str, str]) -> tuple[Probe, ...]:
    """Read the tests from the file ACTIVITY_PROBE; SettingsError lists every mistake."""
    path = Path(environ.get("ACTIVITY_PROBE", "/etc/swarmstats/probe.json"))
    try:
        given = json.loads(path.read_text(encoding="utf-8"))["tests"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError([f"{path}: expected {{'tests': [...]}}: {error}"]) from error
    probes = [_probe(f"{path}: tests[{index}]", item) for index, item in enumerate(given)]
    if mistakes := [item for item in probes if isinstance(item, str)]:
        raise SettingsError(mistakes)
    return tuple(item for item in probes if isinstance(item, Probe))


def run_probes(
    probes: tuple[Probe, ...], secrets: Path, say: Callable[[str], None], poll_seconds: float = POLL_SECONDS
) -> bool:
    """Run all tests at the same time, say each result as a line of JSON; returns whether all held."""
    with ThreadPoolExecutor(MAX_PARALLEL) as pool:
        results = pool.map(lambda probe: _until_it_holds(probe, secrets, poll_seconds), probes)
        held = [_said(result, say) for result in results]
    return all(held)


def holds(expect: str, found: str) -> bool:
    """Whether a value is what was expected: a comparison such as `>= 1`, a number, or exactly this text."""
    compared = COMPARISON.fullmatch(expect.strip())
    if compared:
        return bool(NUMBER.fullmatch(found)) and OPERATORS[compared[1]](float(found), float(compared[2]))
    if NUMBER.fullmatch(expect) and NUMBER.fullmatch(found):
        return float(expect) == float(found)
    return expect == found


def _probe(place: str, item: Any) -> Probe | str:
    known = {field.name for field in fields(Probe)}
    if not isinstance(item, dict) or not {"name", "kind", "address", "timeout"} <= item.keys() <= known:
        return f"{place}: expected name, kind, address, timeout and no key but {', '.join(sorted(known))}"
    probe = Probe(**item)
    if probe.kind not in KINDS:
        return f"{place}: expected a kind of {', '.join(KINDS)}, found {probe.kind!r}"
    if not re.fullmatch(r"[^:]+:[0-9]{1,5}", probe.address):
        return f"{place}: expected an address HOST:PORT, found {probe.address!r}"
    if probe.secret and not SECRET.fullmatch(probe.secret):
        return f"{place}: expected the name of a secret, found {probe.secret!r}"
    return probe


def _until_it_holds(probe: Probe, secrets: Path, poll_seconds: float) -> Result:
    began = time.monotonic()
    while True:
        held, found = _attempt(probe, secrets)
        seconds = time.monotonic() - began
        if held or seconds >= probe.timeout:
            return Result(probe.kind, probe.name, held, probe.expect, found, round(seconds, 1))
        time.sleep(min(poll_seconds, probe.timeout))


def _attempt(probe: Probe, secrets: Path) -> tuple[bool, str]:
    try:
        return KINDS[probe.kind](probe, secrets)
    except DatabaseUnavailable as error:
        return False, str(error)
    except (OSError, httpx.HTTPError, ValueError, LookupError) as error:
        return False, f"{type(error).__name__}: {error}"


def _tcp(probe: Probe, _secrets: Path) -> tuple[bool, str]:
    with socket.create_connection(probe.host_and_port, ATTEMPT_TIMEOUT_SECONDS):
        return True, OPEN


def _sql(probe: Probe, secrets: Path) -> tuple[bool, str]:
    password = Secret((secrets / probe.secret).read_text(encoding="utf-8").rstrip("\r\n"))
    found = read_only_value(probe.host_and_port, probe.database, probe.role, password, probe.query)
    return holds(probe.expect, found), found


def _promql(probe: Probe, _secrets: Path) -> tuple[bool, str]:
    # VictoriaMetrics answers for 30 s ago unless told otherwise.
    words = {"query": probe.query, "latency_offset": "1ms"}
    answer = httpx.get(f"http://{probe.address}/api/v1/query", params=words, timeout=ATTEMPT_TIMEOUT_SECONDS)
    said = answer.json()
    if said.get("status") != "success":
        return False, f"refused: {str(said.get('error', answer.status_code))[:200]}"
    samples = _samples(said["data"])
    unlike = [found for found in samples if not holds(probe.expect, found)]
    return bool(samples) and not unlike, _several(unlike or samples)


def _samples(data: Mapping[str, Any]) -> list[str]:
    """The values of a vector or of a scalar."""
    result = data["result"]
    return [str(result[1])] if data["resultType"] == "scalar" else [str(item["value"][1]) for item in result]


def _several(values: list[str]) -> str:
    distinct = sorted(set(values))
    return ", ".join(distinct[:5]) + (" ..." if len(distinct) > 5 else "") if values else "no series"


def _said(result: Result, say: Callable[[str], None]) -> bool:
    say(json.dumps(result.__dict__, ensure_ascii=False))
    return result.held


KINDS: dict[str, Callable[[Probe, Path], tuple[bool, str]]] = {"tcp": _tcp, "sql": _sql, "promql": _promql}
