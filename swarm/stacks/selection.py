"""Which services are meant: `project=rust-lang,app=sync`, held against what a service is and how it is labelled."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from swarm.errors import SelectionInvalid, UnknownName
from swarm.stacks.targets import Target

PREFIX = "swarmstats."
APP = f"{PREFIX}app"
KEYS = ("project", "app", "stack", "foundation")


@dataclass(frozen=True)
class Subject:
    """A service that may be meant: its labels, its stack, its short name."""

    labels: Mapping[str, Any]
    target: Target
    service: str

    @property
    def facts(self) -> dict[str, set[str]]:
        """Key -> values: every label by its full name and without `swarmstats.`, and what the stack says."""
        found: dict[str, set[str]] = {"app": set()}
        for label, value in self.labels.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            for key in {label, label.removeprefix(PREFIX)}:
                found.setdefault(key, set()).add(text)
        found["stack"] = {self.target.template, self.target.name}
        found["app"] = found["app"] or {self.service}
        if project := self.target.project:
            found["project"], found["foundation"] = {project.name}, {project.foundation}
        return found


@dataclass(frozen=True)
class Term:
    """One `key=value` or `key!=value`."""

    key: str
    value: str
    negated: bool = False

    def admits(self, subject: Subject) -> bool:
        """Whether the service is so; one without the key is not `key=value`, and is `key!=value`."""
        return (self.value in subject.facts.get(self.key, ())) is not self.negated

    def __str__(self) -> str:
        return f"{self.key}{'!' if self.negated else ''}={self.value}"


@dataclass(frozen=True)
class Selection:
    """Terms that all hold of a service that is meant; without terms every service is."""

    terms: tuple[Term, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Selection":
        """Read what `-l` was given; raises SelectionInvalid."""
        return cls(tuple(_term(word.strip(), text) for word in text.split(","))) if text.strip() else EVERYTHING

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __str__(self) -> str:
        return ",".join(map(str, self.terms))

    def matches(self, labels: Mapping[str, Any], target: Target, service: str) -> bool:
        """Whether a service is meant, by the labels of its `deploy`, its stack and its short name."""
        return self.admits(Subject(labels, target, service))

    def admits(self, subject: Subject) -> bool:
        """Whether a service is meant."""
        return all(term.admits(subject) for term in self.terms)

    def nothing(self, among: Iterable[Subject]) -> UnknownName:
        """The error of a selection that means none of these services, with what comes nearest."""
        subjects = list(among)
        facts = [subject.facts for subject in subjects]
        for term in self.terms:
            if not any(term.admits(subject) for subject in subjects):
                known = {value for found in facts for value in found.get(term.key, ())}
                if known:
                    return UnknownName("label", str(term), {f"{term.key}={value}" for value in known})
                return UnknownName("label", term.key, {*KEYS, *_own(facts)})
        names = {f"{subject.target.name}_{subject.service}" for subject in subjects}
        return UnknownName("service with", str(self), names, "Services")


EVERYTHING = Selection()


def _term(word: str, text: str) -> Term:
    key, equals, value = (part.strip() for part in word.partition("="))
    negated = key.endswith("!")
    key = key.removesuffix("!").strip()
    if not (key and equals and value) or "=" in value[:1]:
        raise SelectionInvalid(
            f'"{word}" in -l "{text}" is not key=value.',
            hint=f"E.g. -l project=rust-lang,app=sync or -l app!=sync. Keys: {', '.join(KEYS)}, or any label.",
        )
    return Term(key, value, negated)


def _own(facts: Iterable[Mapping[str, set[str]]]) -> set[str]:
    """The keys of our own labels, without their prefix."""
    return {key.removeprefix(PREFIX) for found in facts for key in found if key.startswith(PREFIX)}
