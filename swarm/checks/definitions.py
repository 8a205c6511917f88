"""stacks/<name>/tests.yaml: what must hold once a stack runs."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError, model_validator

from swarm.errors import EnvironmentInvalid
from swarm.settings import validation
from swarm.settings.environment import ROOT, relative
from swarm.settings.validation import Strict
from swarm.stacks import manifest
from swarm.stacks.targets import Target

WORDS = ("project", "display_name", "database", "domain")
PLACEHOLDER = re.compile(rf"\{{({'|'.join(WORDS)})\}}")

Seconds = Annotated[float, Field(gt=0, le=600)]
Address = Annotated[str, StringConstraints(pattern=rf"^([A-Za-z0-9._-]|\{{({'|'.join(WORDS)})\}})+:[0-9]{{1,5}}$")]
Path = Annotated[str, StringConstraints(pattern=r"^/")]
# YAML takes a bare 1 for a number; what is expected is compared as text or as numbers, wherever it is asked.
Expected = Annotated[str, BeforeValidator(lambda given: str(given) if type(given) in (int, float) else given)]


class Http(Strict):
    """A page that Traefik serves: `host` under the domain, asked from the operator's machine."""

    name: str
    host: str = ""
    path: Path = "/"
    scheme: Literal["http", "https"] | None = None
    status: Annotated[int, Field(ge=100, le=599)] = 200
    text: str = ""
    location: str = ""
    sign_in: str = ""
    tls: bool | None = None
    timeout: Seconds = 30

    @property
    def expected(self) -> str:
        """What is expected, for people."""
        parts = (f"text {self.text!r}" if self.text else "", f"location {self.location}" if self.location else "")
        return ", ".join((f"status {self.status}", *(part for part in parts if part)))


class Tcp(Strict):
    """A port that takes connections inside a network."""

    name: str
    network: str
    address: Address
    timeout: Seconds = 30


class Sql(Strict):
    """One value from a database; `secret` is one of the stack's own and holds the role's password."""

    name: str
    database: str
    query: str
    expect: Expected
    role: str
    secret: str
    address: Address = "db_haproxy:5000"
    network: str = "admin_database"
    timeout: Seconds = 30


class Promql(Strict):
    """A query to VictoriaMetrics: there is a sample, and every sample is as expected, as in `>= 1`."""

    name: str
    query: str
    expect: Annotated[
        Expected, StringConstraints(pattern=r"^((==|!=|>=|<=|>|<) *)?[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$")
    ] = "1"
    timeout: Seconds = 90


class StackTests(Strict):
    """The keys of stacks/<name>/tests.yaml."""

    http: list[Http] = []
    tcp: list[Tcp] = []
    sql: list[Sql] = []
    promql: list[Promql] = []

    @model_validator(mode="after")
    def _names_differ(self) -> "StackTests":
        every: tuple[Http | Tcp | Sql | Promql, ...] = (*self.http, *self.tcp, *self.sql, *self.promql)
        names = [test.name for test in every]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"duplicate test name {', '.join(twice)!r}")
        return self

    @property
    def inside(self) -> int:
        """How many tests run inside the swarm."""
        return len(self.tcp) + len(self.sql) + len(self.promql)


def of(target: Target, domain: str) -> StackTests:
    """The tests of a stack, placeholders filled in; raises EnvironmentInvalid with every mistake, file and line."""
    found = read(target.template)
    words = {"domain": domain}
    if target.project:
        project = target.project
        words |= {"project": project.name, "display_name": project.display_name, "database": project.database}
    try:
        return StackTests.model_validate(_filled(found.model_dump(), words))
    except ValidationError as error:
        place = f"{relative(ROOT / 'stacks' / target.template / 'tests.yaml')} ({target.name})"
        raise EnvironmentInvalid(
            f"{place}: {detail['msg'].removeprefix('Value error, ')}" for detail in error.errors()
        ) from error


@lru_cache(maxsize=32)
def read(template: str) -> StackTests:
    """tests.yaml of one folder of stacks/, validated; none where there is no such file."""
    path = ROOT / "stacks" / template / "tests.yaml"
    if not path.exists():
        return StackTests()
    place = relative(path)
    value = validation.load(path, place)
    tests, mistakes = validation.check(StackTests, value, path, place)
    if tests is None:
        raise EnvironmentInvalid(mistakes)
    if strangers := sorted({f"{place}: {line}" for line in _strangers(template, tests)}):
        raise EnvironmentInvalid(strangers)
    return tests


def _strangers(template: str, tests: StackTests) -> Iterator[str]:
    """Secrets that are not declared, and words that only the stack of a project has."""
    known = manifest.declarations()
    for kind, names in (("http", [item.sign_in for item in tests.http]), ("sql", [item.secret for item in tests.sql])):
        for index, name in enumerate(names):
            if name and name not in known:
                yield f"{kind}[{index}]: unknown secret {name!r}; allowed: {', '.join(sorted(known))}"
    if template != "project":
        for word in PLACEHOLDER.findall(str(tests.model_dump())):
            if word != "domain":
                yield f"{{{word}}} is only available in stacks/project"


def _filled(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda match: words[match[1]], value)
    if isinstance(value, dict):
        return {key: _filled(item, words) for key, item in value.items()}
    return [_filled(item, words) for item in value] if isinstance(value, list) else value
