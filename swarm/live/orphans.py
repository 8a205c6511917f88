"""Orphaned stacks: they run but are no longer defined, e.g. because a project was removed from its file."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from swarm.engine.client import Engine
from swarm.engine.refusals import REFUSALS
from swarm.errors import StackOrphaned, SwarmstatsError, UnknownName
from swarm.live import lookup, services
from swarm.live.services import Service
from swarm.settings.environment import Environment, relative
from swarm.stacks import targets
from swarm.stacks.targets import PROJECT, Target

Manager = Callable[[], Engine]


@dataclass(frozen=True)
class Orphan:
    """An orphaned stack: the kind of its definition, and where that was."""

    stack: str
    kind: str
    home: str

    @property
    def words(self) -> str:
        """Why it is an orphan."""
        return f"its {self.kind} was removed"

    @property
    def advice(self) -> str:
        """What can be done."""
        return f"./run clean {self.stack} removes it and keeps its data; or restore it in {self.home}."


def find(environment: Environment, services: Iterable[Service]) -> dict[str, Orphan]:
    """Name -> stray, of the services that run; stacks that this program never made are none."""
    known = targets.with_template(environment)
    made = {service.stack: service.labels.get(lookup.TEMPLATE, "") for service in services}
    return {
        stack: _stray(environment, stack, template)
        for stack, template in sorted(made.items())
        if template and stack not in known
    }


def select(environment: Environment, words: str, manager: Manager, projects: str = "") -> tuple[Target, ...]:
    """What words mean, as in `targets.select`; raises StackOrphaned where one is a stray. Others need no manager."""
    try:
        return targets.select(environment, words, projects)
    except UnknownName:
        found = _running(environment, manager)
        if meant := [found[word] for word in _split(words) if word in found]:
            stray = meant[0]
            raise StackOrphaned(
                f"Stack {stray.stack} is still running, but {stray.words}.", hint=stray.advice
            ) from None
        raise


def every(environment: Environment, words: str, manager: Manager, projects: str = "") -> tuple[Target, ...]:
    """What words mean where strays are meant too, if they are named: last, since nothing needs them."""
    try:
        return targets.select(environment, words, projects)
    except UnknownName:
        found = {} if projects.strip() else _running(environment, manager)
        meant = [word for word in dict.fromkeys(_split(words)) if word in found]
        rest = [word for word in _split(words) if word not in found]
        if not meant:
            raise
        return (*(targets.select(environment, ",".join(rest)) if rest else ()), *(Target(word) for word in meant))


def _running(environment: Environment, manager: Manager) -> dict[str, Orphan]:
    """Empty if no manager answers: then the unknown name is the error to report."""
    try:
        return find(environment, services.services(manager()))
    except (SwarmstatsError, *REFUSALS):
        return {}


def _stray(environment: Environment, stack: str, template: str) -> Orphan:
    if template == PROJECT:
        return Orphan(stack, "project", relative(environment.directory / "projects.yaml"))
    return Orphan(stack, "folder in stacks/", "stacks/")


def _split(words: str) -> list[str]:
    return [word.strip() for word in words.split(",") if word.strip()]
