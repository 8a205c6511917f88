"""Settings are read once and whole: all mistakes must be used together, each with its name, and no secret shows."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from activity.errors import SettingsError
from activity.secret import Secret
from activity.settings import Listen, Need, Simulate, read_settings

NOW = datetime(2026, 11, 21, 5, 10, tzinfo=UTC)
APACHE = {"name": "apache", "organisations": ["apache"], "start": "2015-01-01"}


@pytest.fixture
def environ(tmp_path):
    (tmp_path / "gha-admin-password").write_text("open sesame\n")
    (tmp_path / "projects.json").write_text(json.dumps({"projects": [APACHE]}))
    return {"ACTIVITY_SECRETS": str(tmp_path), "ACTIVITY_PROJECTS": str(tmp_path / "projects.json")}


def mistakes(environ, *needs):
    with pytest.raises(SettingsError) as caught:
        read_settings(environ, frozenset(needs), NOW)
    assert caught.value.exit_code == 78
    return caught.value.mistakes


def test_every_setting_has_the_default_that_the_stacks_rely_on():
    settings = read_settings({}, frozenset(), NOW)
    assert (settings.database_host, settings.database_port, settings.database_port_read) == ("db_haproxy", 5000, 5001)
    assert settings.archive.url == "https://data.gharchive.org"
    assert (settings.archive.since, settings.archive.until) == (None, None)
    assert settings.archive.simulate is Simulate.NEVER
    assert settings.docker_url == "http://admin_socket-proxy:2375"
    assert settings.listen == Listen("0.0.0.0", 8080)
    assert settings.projects == ()


def test_what_is_set_is_taken(environ):
    environ |= {
        "ACTIVITY_PROJECT": "apache",
        "ACTIVITY_MINUTE": "59",
        "ACTIVITY_ARCHIVE_URL": "file:///data/hours/",
        "ACTIVITY_ARCHIVE_FROM": "-6h",
        "ACTIVITY_ARCHIVE_TO": "2026-11-21-3",
        "ACTIVITY_LISTEN": "[::1]:80",
        "ACTIVITY_LINGER": "8s",
        "ACTIVITY_ARCHIVE_SIMULATE": "when-unreachable",
        "ACTIVITY_PUBLIC_URL": "http://swarm.example:8080/",
    }
    settings = read_settings(environ, frozenset({Need.OWNER, Need.PROJECTS, Need.PROJECT, Need.MINUTE}), NOW)
    assert settings.project is settings.projects[0]
    assert settings.minute == 59
    assert settings.archive.url == "file:///data/hours"
    assert (str(settings.archive.since), str(settings.archive.until)) == ("2026-11-20-23", "2026-11-21-3")
    assert settings.archive.simulate is Simulate.WHEN_UNREACHABLE
    assert settings.listen == Listen("::1", 80)
    assert settings.linger == timedelta(seconds=8)
    assert settings.public_url == "http://swarm.example:8080"


def test_all_mistakes_are_reported_at_once_with_their_names(environ, tmp_path):
    environ |= {
        "ACTIVITY_DATABASE_PORT": "5000x",
        "ACTIVITY_DATABASE_PORT_READ": "70000",
        "ACTIVITY_MINUTE": "60",
        "ACTIVITY_PROJECT": "apach",
        "ACTIVITY_ARCHIVE_URL": "ftp://x",
        "ACTIVITY_ARCHIVE_FROM": "yesterday",
        "ACTIVITY_ARCHIVE_TO": "2015-13-01-0",
        "ACTIVITY_ARCHIVE_SIMULATE": "sometimes",
        "ACTIVITY_LISTEN": "8080",
        "ACTIVITY_LINGER": "8",
        "ACTIVITY_DOCKER_URL": "admin:2375",
        "ACTIVITY_PUBLIC_URL": "swarm.example",
    }
    found = mistakes(environ, Need.OWNER, Need.READER, Need.PROJECTS, Need.PROJECT, Need.MINUTE)
    assert [mistake.split(":")[0] for mistake in found] == [
        "ACTIVITY_DATABASE_PORT",
        "ACTIVITY_DATABASE_PORT_READ",
        str(tmp_path / "ro-user-password"),
        "ACTIVITY_PROJECT",
        "ACTIVITY_MINUTE",
        "ACTIVITY_ARCHIVE_URL",
        "ACTIVITY_ARCHIVE_FROM",
        "ACTIVITY_ARCHIVE_TO",
        "ACTIVITY_ARCHIVE_SIMULATE",
        "ACTIVITY_DOCKER_URL",
        "ACTIVITY_LISTEN",
        "ACTIVITY_LINGER",
        "ACTIVITY_PUBLIC_URL",
    ]
    assert "ACTIVITY_PROJECT: expected one of apache, found 'apach'" in found
    assert "ACTIVITY_ARCHIVE_SIMULATE: expected one of never, when-unreachable, always, found 'sometimes'" in found


def test_a_start_after_the_end_is_a_mistake(environ):
    environ |= {"ACTIVITY_ARCHIVE_FROM": "2015-01-02-0", "ACTIVITY_ARCHIVE_TO": "2015-01-01-0"}
    assert mistakes(environ)[0].startswith("ACTIVITY_ARCHIVE_TO: expected 2015-01-02-0")


def test_a_verb_demands_only_the_secrets_it_needs(environ):
    assert set(read_settings(environ, frozenset({Need.OWNER}), NOW).secrets) == {Need.OWNER}
    assert len(mistakes(environ, Need.POSTGRES, Need.OWNER, Need.READER, Need.TEAM)) == 3


def test_one_trailing_line_end_is_no_part_of_a_secret_and_an_empty_secret_is_a_mistake(environ, tmp_path):
    settings = read_settings(environ, frozenset({Need.OWNER}), NOW)
    assert settings.password(Need.OWNER).reveal() == "open sesame"
    (tmp_path / "gha-admin-password").write_text("\n")
    assert mistakes(environ, Need.OWNER) == (f"{tmp_path / 'gha-admin-password'}: empty",)


def test_a_secret_never_shows(environ):
    secret = Secret("open sesame")
    settings = read_settings(environ, frozenset({Need.OWNER}), NOW)
    for shown in (str(secret), repr(secret), f"{secret}", f"{settings}", repr(settings), f"{settings.secrets}"):
        assert "sesame" not in shown


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({**APACHE, "organisations": ["regexp:["]}, "projects[0]: '[' is not a valid regular expression"),
        ({**APACHE, "actors_forbidden": ["("]}, "projects[0]: '(' is not a valid regular expression"),
        ({**APACHE, "whole_foundation": "yes"}, "projects[0].whole_foundation: expected true or false"),
        (
            {**APACHE, "renamed": [{"was": "a", "now": "b", "until": "x"}]},
            "projects[0].renamed[0].until: expected a day",
        ),
        ({**APACHE, "renamed": [{"was": "a", "old": "b"}]}, "projects[0].renamed[0].old: unknown"),
        ({**APACHE, "renamed": {}}, "projects[0].renamed: expected a list of objects"),
        ({**APACHE, "organisations": "apache"}, "projects[0].organisations: expected a list of strings"),
        ({**APACHE, "organisations": []}, "projects[0]: must name organisations or repositories"),
        ({**APACHE, "start": "2015"}, "projects[0].start: expected a day such as 2015-01-01, found '2015'"),
        ({**APACHE, "orgs": ["apache"]}, "projects[0].orgs: unknown; allowed: name, display_name"),
        ({**APACHE, "name": ""}, "projects[0].name: expected a string, found ''"),
        ({**APACHE, "database": "devstats"}, "projects[0].database: 'devstats' is reserved"),
        ("apache", "projects[0]: expected an object, found 'apache'"),
    ],
)
def test_a_wrong_project_is_named_with_its_place(environ, entry, words):
    Path(environ["ACTIVITY_PROJECTS"]).write_text(json.dumps({"projects": [entry]}))
    assert any(words in mistake for mistake in mistakes(environ, Need.PROJECTS))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"projects": []}', "{"])
def test_a_file_without_projects_is_a_mistake(environ, content):
    Path(environ["ACTIVITY_PROJECTS"]).write_text(content)
    assert len(mistakes(environ, Need.PROJECTS)) == 1


def test_two_projects_of_one_name_or_database_are_a_mistake(environ):
    Path(environ["ACTIVITY_PROJECTS"]).write_text(json.dumps({"projects": [APACHE, APACHE]}))
    assert len(mistakes(environ, Need.PROJECTS)) == 2


def test_a_missing_file_of_projects_is_named(environ):
    environ["ACTIVITY_PROJECTS"] = "/nowhere/projects.json"
    assert mistakes(environ, Need.PROJECTS) == ("ACTIVITY_PROJECTS: /nowhere/projects.json: No such file or directory",)
