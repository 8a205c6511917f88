import json
from pathlib import Path

import pytest

import tasks
from verbs import completion, completion_table
from verbs.completion import STALE

TABLE = {
    "verbs": {
        "deploy": {"--env": "environment", "-e": "environment", "--dry": "", "-n": "", "": "stack"},
        "logs": {"--since": "any", "--follow": "", "--env": "environment", "": "service"},
        "lock.status": {"--json": "", "": "any"},
    },
    "names": {
        "stack": ["admin", "app", "all"], "environment": ["lab", "e2e"],
        "service": ["admin", "admin/portal", "app/nginx"],
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("", "deploy lock.status logs"),
        ("lo", "lock.status logs"),
        ("--", "--dry --help --list"),
        ("--dry dep", "deploy"),
        ("--dry deploy a", "admin all app"),
        ("deploy ", "admin all app"),
        ("deploy a", "admin all app"),
        ("deploy admin,ap", "admin,app"),
        ("deploy admin ", ""),
        ("deploy --", "--dry --env"),
        ("deploy --env ", "e2e lab"),
        ("deploy -e l", "lab"),
        ("deploy --env lab ap", "app"),
        ("deploy --dry ap", "app"),
        ("logs admin/", "admin/portal"),
        ("logs --since ", ""),
        ("logs --since 10m ap", "app/nginx"),
        ("lock.status ", ""),
        ("logs app/nginx -- ls ", ""),
    ],
)
def test_the_last_word_becomes_a_verb_a_flag_or_a_name(line: str, wanted: str) -> None:
    assert completion.candidates(TABLE, line.split(" ")) == wanted.split()


def test_every_verb_has_its_flags_and_knows_what_stands_after_it() -> None:
    found = completion_table.verbs(tasks.namespace.to_contexts())
    after = {verb: flags[""] for verb, flags in found.items()}
    assert after["deploy"] == after["status"] == after["rollback"] == "stack"
    assert after["logs"] == after["exec"] == after["restart"] == after["scale"] == "service"
    assert (after["open"], after["secret.show"], after["completion"]) == ("page", "secret", "shell")
    assert found["deploy"]["--env"] == "environment"
    assert found["deploy"]["--dry"] == ""


def test_names_are_those_of_the_environment_and_no_secret_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "env" / "mine"
    folder.mkdir(parents=True)
    (folder / "env.yaml").write_text(
        "{domain: a.test, registry: r/x, driver: lab, nodes: [{name: n, role: manager}]}\n"
    )
    (folder / "projects.yaml").write_text("projects: {apache: {organisations: [apache]}}\n")
    monkeypatch.setenv("SWARMSTATS_ENVS", str(tmp_path / "env"))
    monkeypatch.setenv("SWARMSTATS_ENV", "mine")
    found = completion_table.names()
    assert found["environment"] == ["mine"]
    assert {"admin", "apache", "project", "all"} <= set(found["stack"])
    assert {"apache/sync", "admin/traefik", "apache"} <= set(found["service"])
    assert not (folder / "secrets").exists()


def test_a_table_is_stale_when_a_file_that_it_was_made_from_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "table.json"
    monkeypatch.setattr(completion, "place", lambda: (tmp_path, file))
    assert completion.main(["lo"]) == STALE
    file.write_text(json.dumps({**TABLE, "stamps": completion.stamps(completion.ROOT, tmp_path)}))
    assert completion.main(["log"]) == 0
    assert capsys.readouterr().out == "logs\n"
    (tmp_path / "env.yaml").write_text("")
    assert completion.main(["lo"]) == STALE
