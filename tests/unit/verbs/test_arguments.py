"""Flags and words of verbs: the same letters everywhere, optional words, numbers, help."""

import re

import pytest

import tasks
from swarm.errors import ArgumentInvalid
from swarm.settings.secrets import PASSWORD_LENGTH
from verbs.arguments import SHORT_FLAGS, Verb

LETTERS = {"e": "env", "n": "dry", "y": "yes", "j": "json", "l": "label", "p": "projects"}
NAMES = sorted(tasks.namespace.task_names)


def verb(name: str) -> Verb:
    found = tasks.namespace[name]
    assert isinstance(found, Verb)
    return found


def needed_words(name: str) -> list[str]:
    """As many words as the verb needs at least."""
    shown = verb(name).usage(name).split(" [options]")[0].split()[2:]
    return ["word" for word in shown if not word.startswith("[")]


@pytest.mark.parametrize("name", NAMES)
def test_six_letters_mean_the_same_flag_in_every_verb_and_no_other_flag_has_one(name: str) -> None:
    found = {}
    for argument in verb(name).get_arguments():
        letters = [other for other in argument.names if len(other) == 1]
        assert len(letters) <= 1
        found.update(dict.fromkeys(letters, argument.names[0]))
    assert found.items() <= LETTERS.items()


@pytest.mark.parametrize("name", NAMES)
def test_every_flag_that_has_a_letter_elsewhere_has_it_here_too(name: str) -> None:
    for argument in verb(name).get_arguments():
        letter, kind = SHORT_FLAGS.get(argument.names[0], ("", None))
        if argument.kind is kind:
            assert argument.names == (argument.names[0], letter)


def test_the_letters_are_those_of_the_documentation() -> None:
    assert {letter: name for name, (letter, _) in SHORT_FLAGS.items()} == LETTERS


@pytest.mark.parametrize("name", NAMES)
def test_help_begins_with_the_usage_and_shows_each_flag_once(name: str) -> None:
    shown = verb(name).parser(name).format_help()
    assert shown.startswith(f"usage: ./run {name} ")
    assert "[options]" in shown.splitlines()[0]
    assert "--, " not in shown
    assert "inv" not in shown.splitlines()[0]
    for argument in verb(name).get_arguments():
        if argument.positional:
            continue
        letter = rf"-{argument.nicknames[0]}( \S+)?, " if argument.nicknames else ""
        assert len(re.findall(rf"^  {letter}--{argument.names[0]}\b(?!-)", shown, re.M)) == 1, argument.names


@pytest.mark.parametrize("number", ["many", "-5", "1.5", "", " 3"])
def test_a_number_that_is_none_is_an_error_that_names_the_flag(number: str) -> None:
    with pytest.raises(
        ArgumentInvalid, match=r"argument --lock-timeout: .* must be a whole number of 0 or more"
    ) as caught:
        verb("deploy").parse("deploy", ["app", f"--lock-timeout={number}"])
    assert repr(number) in caught.value.message


def test_a_number_is_read_as_one() -> None:
    assert verb("deploy").parse("deploy", ["app", "--lock-timeout", "5"])["lock_timeout"] == 5


def test_words_that_are_left_out_are_none() -> None:
    assert verb("rollback").parse("rollback", ["app"])["number"] is None
    assert verb("status").parse("status", [])["stack"] is None


@pytest.mark.parametrize("words", ["app 3 -e x", "app -e x 3", "-e x app 3", "app --env=x 3", "-ex app 3"])
def test_flags_may_stand_between_words(words: str) -> None:
    found = verb("rollback").parse("rollback", words.split())
    assert (found["stack"], found["number"], found["env"]) == ("app", "3", "x")


@pytest.mark.parametrize("name", NAMES)
def test_a_flag_that_a_verb_does_not_have_is_an_error(name: str) -> None:
    for wrong in ("--no-such-flag", "-R", "-d", "-w", "-f", "-D", "--echo", "--list"):
        with pytest.raises(ArgumentInvalid, match="unrecognized arguments: ") as caught:
            verb(name).parse(name, [*needed_words(name), wrong])
        assert caught.value.hint.endswith(verb(name).usage(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_word_too_many_is_an_error(name: str) -> None:
    places = verb(name).usage(name).split(" [options]")[0].split()[2:]
    with pytest.raises(ArgumentInvalid, match="unrecognized arguments: surplus"):
        verb(name).parse(name, [*("word" for _ in places), "surplus"])


def test_a_flag_may_not_be_shortened() -> None:
    with pytest.raises(ArgumentInvalid, match="unrecognized arguments: --dr"):
        verb("deploy").parse("deploy", ["app", "--dr"])


def test_a_word_that_is_needed_and_left_out_is_named() -> None:
    with pytest.raises(ArgumentInvalid, match="the following arguments are required: STACK"):
        verb("deploy").parse("deploy", ["--dry"])


def test_usage_shows_where_words_stand_and_which_may_be_left_out() -> None:
    shown = {name: verb(name).usage(name) for name in ("rollback", "secret.import", "demo", "exec")}
    assert shown == {
        "rollback": "./run rollback STACK [NUMBER] [options]",
        "secret.import": "./run secret.import NAME [FILE] [options]",
        "demo": "./run demo [options]",
        "exec": "./run exec SERVICE [options] -- COMMAND",
    }


def test_a_percent_sign_in_an_explanation_is_shown() -> None:
    sample = Verb(lambda context, share="": None, help={"share": "such as 5%"})
    assert "such as 5%\n" in sample.parser("sample").format_help()


def test_a_password_has_the_same_length_from_a_verb_and_from_a_deploy() -> None:
    assert verb("secret.generate").parse("secret.generate", ["x"])["length"] == PASSWORD_LENGTH
