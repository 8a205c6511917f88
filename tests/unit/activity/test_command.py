"""The command line: each verb explains itself, and a wrong one is exit 64."""

import pytest
from activity.__main__ import VERBS, main
from activity.command import parse_command
from activity.errors import UsageError


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb, capsys):
    with pytest.raises(SystemExit) as left:
        parse_command([verb, "--help"])
    assert left.value.code == 0
    assert f"activity {verb}" in capsys.readouterr().out


def test_the_hours_of_an_ingest_are_read_from_the_command_line():
    command = parse_command(["ingest", "--from", "2015-01-01-0", "--to", "2015-01-01-01"])
    assert (str(command.from_hour), str(command.to_hour)) == ("2015-01-01-0", "2015-01-01-1")
    assert parse_command(["ingest"]).from_hour is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "VERB"),
        (["ingset"], "invalid choice: 'ingset'"),
        (["ingest", "--from", "2015-01-01-0"], "must be used together"),
        (["ingest", "--from", "2015-01-01-1", "--to", "2015-01-01-0"], "Swap them"),
        (["ingest", "--from", "now", "--to", "now"], "expected an hour such as 2015-01-01-0, found 'now'"),
        (["simulate"], "--from, --to"),
        (["bootstrap", "now"], "unrecognized arguments: now"),
    ],
)
def test_a_wrong_command_line_is_exit_64_and_says_what_was_expected(arguments, words, capsys):
    with pytest.raises(UsageError, match=words):
        parse_command(arguments)
    assert main(arguments) == 64
    assert " error " in capsys.readouterr().err


def test_wrong_settings_are_exit_78(monkeypatch, capsys):
    monkeypatch.setenv("ACTIVITY_SECRETS", "/nowhere")
    monkeypatch.setenv("ACTIVITY_PROJECTS", "/nowhere/projects.json")
    assert main(["series"]) == 78
    assert "/nowhere/gha-admin-password: No such file" in capsys.readouterr().err
