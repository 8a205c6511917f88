"""Which Swarm stacks there are: one for each folder of stacks/, and one for each project."""

from collections.abc import Iterable
from dataclasses import dataclass

from swarm import manifests
from swarm.environment import ROOT, Environment
from swarm.errors import UnknownName
from swarm.projects import Project

PROJECT = "project"


@dataclass(frozen=True)
class Target:
    """One Swarm stack that can be rendered: a template, and a project for those of stacks/project."""

    template: str
    project: Project | None = None

    @property
    def name(self) -> str:
        """The name of the Swarm stack."""
        return self.project.name if self.project else self.template


def select(environment: Environment, words: str) -> tuple[Target, ...]:
    """What `all`, `admin,db`, `project` or the name of a project means, in the order of what stacks need."""
    names = [word.strip() for word in words.split(",") if word.strip()]
    every = _every(environment)
    chosen: set[str] = set()
    for name in names:
        matching = {target.name for target in every if name == "all" or name in (target.name, target.template)}
        if not matching and name != "all" and not (name == PROJECT and (ROOT / "stacks" / PROJECT).is_dir()):
            raise UnknownName("stack", name, {*manifests.order(), *environment.projects.names})
        chosen |= matching
    if not names:
        raise UnknownName("stack", words, {*manifests.order(), *environment.projects.names})
    return tuple(target for target in every if target.name in chosen)


def _every(environment: Environment) -> list[Target]:
    found: list[Target] = []
    for template in manifests.order():
        if template == PROJECT:
            found += [Target(PROJECT, project) for project in environment.projects]
        else:
            found.append(Target(template))
    return found


def addresses(environment: Environment, wanted: Iterable[Target]) -> list[tuple[str, str, str]]:
    """What stacks serve: (name, URL, how to sign in)."""
    known = manifests.read()
    found: list[tuple[str, str, str]] = []
    for target in wanted:
        words = {"project": target.project.name if target.project else "", "domain": environment.domain}
        found += [
            (url.name.format(**words), environment.url(url.host.format(**words)) + url.path.rstrip("/"), url.sign_in)
            for url in known[target.template].urls
        ]
    return found
