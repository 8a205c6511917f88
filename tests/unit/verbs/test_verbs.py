"""What holds for every verb: what it shows machines can read, what it changes it can say beforehand."""

import importlib
import pkgutil
import subprocess
import sys

import pytest
from invoke import Exit, Program
from invoke.parser import Parser, ParserContext

import tasks
import verbs
from swarm.errors import ArgumentInvalid
from swarm.settings.environment import ROOT
from verbs.arguments import Verb

SHOWING = {
    "bench.ingest", "bench.manager", "check", "db.backups", "db.config", "db.status", "db.verify", "doctor", "drift",
    "lock.status", "logs", "plan", "project.status", "release.show", "releases", "render", "secret.list", "secret.show",
    "show", "status", "swarm.status",
}  # fmt: skip
CHANGING = {
    "build", "clean", "db.backup", "db.dump", "db.reinit", "db.restore", "db.switchover", "db.vacuum", "deliver",
    "demo", "deploy", "job", "lock.break", "project.add", "project.backfill", "project.remove", "push", "restart",
    "rollback", "scale", "secret.generate", "secret.import", "secret.rotate", "swarm.clean", "swarm.init",
    "swarm.label", "swarm.remount", "swarm.start", "swarm.stop",
}  # fmt: skip
NEITHER = {
    "db.psql": "whatever the given statements do",
    "completion": "prints a script that a shell reads",
    "exec": "whatever the given command does",
    "open": "opens a browser",
    "test": "runs tests in places of their own",
}


def contexts() -> dict[str, ParserContext]:
    return {str(context.name): context for context in tasks.namespace.to_contexts()}


def test_every_verb_is_known_to_show_or_to_change_something_or_neither_for_a_reason() -> None:
    assert contexts().keys() == SHOWING | CHANGING | NEITHER.keys()
    assert not SHOWING & CHANGING
    assert not (SHOWING | CHANGING) & NEITHER.keys()


def test_every_verb_of_every_file_has_its_name() -> None:
    files = [importlib.import_module(f"verbs.{file.name}") for file in pkgutil.iter_modules(verbs.__path__)]
    found = [item for file in files for item in vars(file).values() if isinstance(item, Verb)]
    assert len(found) == len(contexts())


@pytest.mark.parametrize("verb", sorted(SHOWING))
def test_what_a_verb_shows_it_gives_to_machines_too(verb: str) -> None:
    assert "--json" in contexts()[verb].flags


@pytest.mark.parametrize("verb", sorted(CHANGING))
def test_what_a_verb_changes_it_says_beforehand_where_asked(verb: str) -> None:
    assert "--dry" in contexts()[verb].flags


@pytest.mark.parametrize("verb", sorted(SHOWING | CHANGING | NEITHER.keys()))
def test_every_argument_of_a_verb_is_explained(verb: str) -> None:
    for argument in contexts()[verb].args.values():
        assert argument.help, f"{verb}: {argument.name}"


@pytest.mark.parametrize("number", ["many", "-5", "1.5", "", " 3"])
def test_a_number_that_is_none_ends_with_a_message_and_a_code_of_its_own(number: str) -> None:
    parser = Parser(contexts=list(contexts().values()))
    with pytest.raises(Exit) as caught:
        parser.parse_argv(["deploy", "app", f"--lock-timeout={number}"])
    assert caught.value.code == ArgumentInvalid.exit_code
    assert f"--lock-timeout {number!r} is no number from 0 on." in str(caught.value.message)


def test_a_number_is_taken_as_one() -> None:
    (parsed,) = Parser(contexts=list(contexts().values())).parse_argv(["deploy", "app", "--lock-timeout", "5"])
    assert parsed.args["lock-timeout"].value == 5


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("verb", sorted(SHOWING | CHANGING | NEITHER.keys()))
def test_help_for_a_verb_is_no_name_of_a_stack(verb: str, flag: str) -> None:
    parser = Parser(initial=Program().initial_context, contexts=list(contexts().values()))
    core, _ = parser.parse_argv([verb, flag])
    assert core.args["help"].value == verb


def test_help_may_be_asked_for_when_something_is_given_already() -> None:
    parser = Parser(initial=Program().initial_context, contexts=list(contexts().values()))
    for words in (["rollback", "app"], ["rollback", "app", "3"], ["secret.import", "x", "--env", "e"], ["exec", "a/b"]):
        assert parser.parse_argv([*words, "-h"])[0].args["help"].value == words[0]
    _, given = parser.parse_argv(["exec", "app/nginx", "--", "ls", "--help"])
    assert given.args["service"].value == "app/nginx"


def test_help_shows_where_words_stand_and_which_may_be_left_out() -> None:
    shown = {name: tasks.namespace[name].usage(name) for name in ("rollback", "secret.import", "demo")}
    assert shown == {
        "rollback": "./run rollback STACK [NUMBER]",
        "secret.import": "./run secret.import NAME [FILE]",
        "demo": "./run demo",
    }


@pytest.mark.parametrize("words", [["--list"], ["rollback", "--help"]])
def test_whoever_reads_only_the_head_of_help_sees_no_complaint(words: list[str]) -> None:
    argv = [sys.executable, "-m", "invoke", "--search-root", str(ROOT), *words]
    asked = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert asked.stdout
    asked.stdout.close()
    _, complaint = asked.communicate(timeout=60)
    assert complaint == ""


def test_the_help_of_a_verb_says_how_it_is_called() -> None:
    argv = [sys.executable, "-m", "invoke", "--search-root", str(ROOT), "rollback", "--help"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert "\n  ./run rollback STACK [NUMBER] [--options]\n" in done.stdout
