"""Which Swarm stacks there are: one for each folder of stacks/, and one for each project."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from swarm.errors import UnknownName
from swarm.settings.environment import ROOT, Environment
from swarm.settings.projects import Project
from swarm.stacks import manifest

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


def select(environment: Environment, words: str, projects: str = "") -> tuple[Target, ...]:
    """What `all`, `admin,db`, `project` or the name of a project means, in the order of what stacks need.

    `projects` leaves of them the projects whose names match: `a*,!apache`.
    """
    names = [word.strip() for word in words.split(",") if word.strip()]
    every = _every(environment)
    chosen: set[str] = set()
    for name in names:
        matching = {target.name for target in every if name == "all" or name in (target.name, target.template)}
        if not matching and name != "all" and not (name == PROJECT and (ROOT / "stacks" / PROJECT).is_dir()):
            raise UnknownName("stack", name, {*manifest.order(), *environment.projects.names})
        chosen |= matching
    if not names:
        raise UnknownName("stack", words, {*manifest.order(), *environment.projects.names})
    found = tuple(target for target in every if target.name in chosen)
    return _matching(environment, found, words, projects) if projects.strip() else found


def with_template(environment: Environment) -> dict[str, Target]:
    """Name of a Swarm stack -> its target, for every one that the environment knows."""
    return {target.name: target for target in _every(environment)}


def _matching(environment: Environment, found: tuple[Target, ...], words: str, projects: str) -> tuple[Target, ...]:
    """The targets of projects that a pattern names and none with `!` excludes, in whatever order they are given."""
    names = environment.projects.names
    patterns = [pattern.strip() for pattern in projects.split(",") if pattern.strip()]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern.removeprefix("!")) for name in names):
            raise UnknownName("project", pattern.removeprefix("!"), names)
    excluded = [pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!")]
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")] or ["*"]

    def meant(name: str) -> bool:
        return any(fnmatchcase(name, one) for one in wanted) and not any(fnmatchcase(name, one) for one in excluded)

    left = tuple(target for target in found if target.project and meant(target.name))
    if not left:
        among = {target.name for target in found if target.project}
        raise UnknownName(f"project of {words} with", projects, among, "Projects")
    return left


def _every(environment: Environment) -> list[Target]:
    found: list[Target] = []
    for template in manifest.order():
        if template == PROJECT:
            found += [Target(PROJECT, project) for project in environment.projects]
        else:
            found.append(Target(template))
    return found
