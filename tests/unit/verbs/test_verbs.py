"""What holds for every verb: what it shows machines can read, what it changes it can say beforehand."""

import importlib
import pkgutil
from functools import cache

import pytest
from invoke.parser import ParserContext

import tasks
import verbs
from verbs.arguments import Verb
from verbs.base import YES

SHOWING = {
    "bench.ingest", "bench.manager", "check", "db.backups", "db.config", "db.status", "db.verify", "doctor", "drift",
    "lock.status", "logs", "plan", "project.status", "release.show", "releases", "render", "secret.list", "secret.show",
    "show", "status", "swarm.status",
}  # fmt: skip
CHANGING = {
    "build", "clean", "db.backup", "db.dump", "db.reinit", "db.restore", "db.switchover", "db.vacuum", "deliver",
    "demo", "deploy", "job", "lock.break", "project.add", "project.backfill", "project.remove", "push", "restart",
    "rollback", "scale", "secret.encrypt", "secret.fetch", "secret.generate", "secret.import", "secret.rotate",
    "swarm.clean", "swarm.init", "swarm.label", "swarm.remount", "swarm.start", "swarm.stop",
}  # fmt: skip
DESTROYING = {"clean", "db.reinit", "db.restore", "project.remove", "swarm.clean"}
NEITHER = {
    "db.psql": "whatever the given statements do",
    "completion": "prints a script that a shell reads",
    "exec": "whatever the given command does",
    "open": "opens a browser",
    "test": "runs tests in places of their own",
}


@cache
def contexts() -> dict[str, ParserContext]:
    return {str(context.name): context for context in tasks.namespace.to_contexts()}


def test_every_verb_is_known_to_show_or_to_change_something_or_neither_for_a_reason() -> None:
    assert contexts().keys() == SHOWING | CHANGING | NEITHER.keys()
    assert not SHOWING & CHANGING
    assert not (SHOWING | CHANGING) & NEITHER.keys()


def test_every_verb_of_every_file_has_its_name() -> None:
    files = [importlib.import_module(f"verbs.{file.name}") for file in pkgutil.iter_modules(verbs.__path__)]
    found = [item for file in files for item in vars(file).values() if isinstance(item, Verb)]
    made_by_a_function = 1  # completion, which needs the namespace
    assert len(found) + made_by_a_function == len(contexts())


@pytest.mark.parametrize("verb", sorted(SHOWING))
def test_what_a_verb_shows_it_gives_to_machines_too(verb: str) -> None:
    assert "--json" in contexts()[verb].flags


@pytest.mark.parametrize("verb", sorted(CHANGING))
def test_what_a_verb_changes_it_says_beforehand_where_asked(verb: str) -> None:
    assert "--dry" in contexts()[verb].flags


def test_exactly_the_verbs_that_destroy_something_can_be_told_not_to_ask() -> None:
    found = {name: context.flags["--yes"].help for name, context in contexts().items() if "--yes" in context.flags}
    assert found == dict.fromkeys(DESTROYING, YES)


@pytest.mark.parametrize("verb", sorted(SHOWING | CHANGING | NEITHER.keys()))
def test_every_argument_of_a_verb_is_explained(verb: str) -> None:
    for argument in contexts()[verb].args.values():
        assert argument.help, f"{verb}: {argument.name}"
