import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from swarm import keys, manifests, secrets, versions
from swarm.engine import NAMESPACE, Engine
from swarm.environment import Environment
from swarm.errors import Locked, SecretMissing, SecretRefused, StackFailed, UnknownName
from swarm.keys import Row
from swarm.live import Snapshot
from swarm.report import Report
from swarm.secrets import Secret
from swarm.shell import RecordingShell
from swarm.survey import Survey
from swarm.targets import Target
from tests.unit.swarm.conftest import Make

READER = "ro-user-password"
SERVICES = {
    "admin_portal": [READER], "admin_traefik": ["traefik-users"], "app_nginx": [],
    "db_bootstrap": [
        "postgres-password", "replication-password", "rewind-password", "gha-admin-password", READER,
        "devstats-team-password",
    ],
    "db_haproxy": [], "db_postgres": ["postgres-password"], "db_patroni1": ["patroni-password"],
}  # fmt: skip


@dataclass(frozen=True)
class Swarm(Engine):
    """A swarm that runs services with secrets as the files were when it was made."""

    uses: dict[str, list[str]] = field(default_factory=dict)
    there: list[str] = field(default_factory=list)

    def services(self, stack: str | None = None) -> list[dict[str, Any]]:
        return [
            {
                "ID": name,
                "Spec": {
                    "Name": name,
                    "Labels": {NAMESPACE: name.partition("_")[0]},
                    "Mode": {"ReplicatedJob": {}} if name == "db_bootstrap" else {"Replicated": {"Replicas": 1}},
                    "TaskTemplate": {
                        "ContainerSpec": {"Image": "x", "Secrets": [{"SecretName": used} for used in sealed]}
                    },
                },
            }
            for name, sealed in self.uses.items()
        ]

    def nodes(self) -> list[dict[str, Any]]:
        return []

    def tasks(self, stack: str | None = None) -> list[dict[str, Any]]:
        return []

    def secrets(self) -> list[dict[str, Any]]:
        return [
            {
                "ID": name,
                "CreatedAt": str(place),
                "Spec": {"Name": name, "Labels": {versions.LABEL: name.split("_")[0]}},
            }
            for place, name in enumerate(self.there)
        ]


# What is given by hand is needed only where a setting asks for it.
MADE = {name: how for name, how in manifests.declarations().items() if how.generate or how.htpasswd}


def swarm(environment: Environment, services: Sequence[str] = tuple(SERVICES)) -> Swarm:
    """What a deploy of the files as they are leaves; files that are not there are made first."""
    known = MADE
    folder = environment.secrets
    names = {
        key: versions.secret(folder / f"{key}.secret", key, secrets.get(folder, key, known)).name
        for key in sorted(known)
    }
    uses = {name: [names[key] for key in SERVICES[name]] for name in services}
    return Swarm(uses=uses, there=sorted({name for used in uses.values() for name in used}))


def content(environment: Environment, name: str) -> str:
    found = secrets.read(secrets.file(environment.secrets, name))
    assert found
    return found.reveal()


def row(environment: Environment, engine: Engine | None, name: str) -> Row:
    return next(item for item in keys.rows(environment, engine) if item.name == name)


def leftovers(environment: Environment) -> list[str]:
    return [path.name for path in environment.secrets.iterdir() if path.name.startswith(".")]


class Deploys:
    """Stands for the use case deploy: takes down what it was asked for, looks at the file, and may fail."""

    def __init__(self, environment: Environment, name: str, error: BaseException | None = None) -> None:
        self.asked: list[list[str]] = []
        self.seen: list[str] = []
        self.environment, self.name, self.error = environment, name, error

    def __call__(self, environment: Environment, targets: Sequence[Target], *_: Any, **__: Any) -> None:
        self.asked.append([target.name for target in targets])
        self.seen.append(content(environment, self.name))
        for name in MADE:
            secrets.get(environment.secrets, name, MADE)
        if self.error:
            raise self.error


@pytest.fixture
def rotating(make: Make, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Rotate a secret of a running swarm; the deploy may fail. Gives the deploys and what was printed."""

    def _rotating(
        name: str,
        given: bytes | None = None,
        error: BaseException | None = None,
        engine: Engine | None = None,
        **options: Any,
    ) -> Deploys:
        environment = make()
        engine = engine or swarm(environment)
        deploys = Deploys(environment, name, error)
        monkeypatch.setattr(keys.deploy, "deploy", deploys)
        monkeypatch.setattr(keys.survey, "survey", lambda *_: Survey((), {}, {}, {}, Snapshot((), (), (), ())))
        keys.rotate(environment, name, given, engine, RecordingShell(), Report(), **options)
        return deploys

    return _rotating


def test_a_password_is_generated_into_a_file_of_its_owner_alone_in_a_folder_of_theirs(make: Make) -> None:
    environment = make()
    path = keys.generate(environment, READER, length=40)
    assert len(content(environment, READER)) == 40
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert leftovers(environment) == []


def test_a_file_that_is_there_is_generated_anew_only_by_force(make: Make) -> None:
    environment = make()
    keys.generate(environment, READER)
    before = content(environment, READER)
    with pytest.raises(SecretRefused, match="is there already") as caught:
        keys.generate(environment, READER)
    assert "secret.rotate" in caught.value.hint
    assert content(environment, READER) == before
    keys.generate(environment, READER, force=True)
    assert content(environment, READER) != before


@pytest.mark.parametrize("length", [0, 15, 1025])
def test_a_length_that_is_no_password_is_refused_and_the_file_stays(make: Make, length: int) -> None:
    environment = make()
    keys.generate(environment, READER)
    before = content(environment, READER)
    with pytest.raises(SecretRefused):
        keys.generate(environment, READER, force=True, length=length)
    assert content(environment, READER) == before


def test_what_is_derived_is_neither_generated_nor_given_nor_rotated(make: Make, rotating: Any) -> None:
    environment = make()
    for attempt in (
        lambda: keys.generate(environment, "traefik-users"),
        lambda: keys.import_(environment, "traefik-users", b"admin:x"),
        lambda: rotating("traefik-users"),
    ):
        with pytest.raises(SecretRefused, match="made from traefik-admin"):
            attempt()


def test_a_password_whose_hash_takes_72_bytes_is_no_longer(make: Make) -> None:
    with pytest.raises(SecretRefused, match="72 bytes"):
        keys.import_(make(), "traefik-admin", b"x" * 73)
    keys.import_(make(), "traefik-admin", b"x" * 72)


def test_an_unknown_secret_gives_the_nearest_names(make: Make) -> None:
    with pytest.raises(UnknownName, match=r"Did you mean ro-user-password"):
        keys.import_(make(), "ro-usr-password", b"x")


@pytest.mark.parametrize(
    ("given", "kept"), [(b"pass word", "pass word"), (b"x\n", "x"), (b"x\r\n", "x"), (b" x \n", " x ")]
)
def test_a_given_secret_loses_exactly_its_trailing_newline(make: Make, given: bytes, kept: str) -> None:
    environment = make()
    path = keys.import_(environment, READER, given)
    assert content(environment, READER) == kept
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("given", [b"", b"\n", b"a\nb", b"a\n\n", b"a\0b", b"\xff\xfe", b"x" * (secrets.LARGEST + 1)])
def test_what_can_be_no_password_is_refused_without_being_shown_and_the_file_stays(make: Make, given: bytes) -> None:
    environment = make()
    keys.import_(environment, READER, b"before")
    with pytest.raises(SecretRefused) as caught:
        keys.import_(environment, READER, given)
    assert "a\nb" not in str(caught.value)
    assert content(environment, READER) == "before"


def test_a_source_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SecretMissing, match="No such file"):
        keys.source(str(tmp_path / "absent"), READER, Report())


def test_the_list_says_how_secrets_come_to_be_and_who_uses_them(make: Make) -> None:
    environment = make()
    rows = {item.name: item for item in keys.rows(environment, None)}
    assert rows[READER].services == ("admin_portal", "db_bootstrap")
    assert rows["gha-admin-password"].services[-2:] == ("apache_sync", "rust-lang_sync")
    assert (rows[READER].origin, rows["traefik-users"].origin) == ("generated", "htpasswd of traefik-admin")
    assert rows["traefik-admin"].users == "traefik-users"
    assert {item.file for item in rows.values()} == {"absent"}
    assert {item.state for item in rows.values()} == {"?"}
    assert not environment.secrets.exists()


def test_the_list_flags_a_file_that_others_may_read_and_leaves_it(make: Make) -> None:
    environment = make()
    path = keys.generate(environment, READER)
    path.chmod(0o644)
    assert row(environment, None, READER).file == "mode 0644, not 0600"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_the_list_compares_file_and_swarm_by_names_alone(make: Make) -> None:
    environment = make()
    engine = swarm(environment)
    assert {item.state for item in keys.rows(environment, engine) if item.name in MADE} == {"as in the file"}
    found = row(environment, engine, READER)
    assert found.in_use == found.versions
    keys.generate(environment, READER, force=True)
    assert row(environment, engine, READER).state == "differs from the file"
    secrets.file(environment.secrets, READER).unlink()
    assert row(environment, engine, READER).state == "no file to compare"


def test_the_list_sees_that_a_derived_secret_is_stale(make: Make) -> None:
    environment = make()
    engine = swarm(environment)
    keys.generate(environment, "traefik-admin", force=True)
    assert row(environment, engine, "traefik-users").differs is True
    assert row(environment, engine, "traefik-admin").state == "differs from the file"


def test_no_row_holds_a_secret(make: Make) -> None:
    environment = make()
    rows = repr(keys.rows(environment, swarm(environment)))
    assert not [name for name in MADE if content(environment, name) in rows]


def test_a_dry_rotation_names_what_restarts_and_changes_nothing(
    make: Make, rotating: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = make()
    engine = swarm(environment)
    before = {path: path.read_bytes() for path in environment.secrets.iterdir()}
    deploys = rotating(READER, engine=engine, dry=True)
    said = capsys.readouterr().out
    assert deploys.asked == []
    assert {path: path.read_bytes() for path in environment.secrets.iterdir()} == before
    assert said.index("db_bootstrap") < said.index("admin_portal")
    assert "2 services will restart" in said
    assert "a job, runs again" in said


def test_a_rotation_is_told_to_machines_beforehand(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = make()
    engine = swarm(environment)
    monkeypatch.setattr(keys.survey, "survey", lambda *_: Survey((), {}, {}, {}, Snapshot((), (), (), ())))
    assert keys.rotation(environment, READER, None, engine, RecordingShell()).told() == {
        "secrets": (READER,),
        "restarts": [
            {"stack": "db", "service": "db_bootstrap", "tasks": "a job, runs again"},
            {"stack": "admin", "service": "admin_portal", "tasks": "1"},
        ],
        "comes_with_it": (),
    }


def test_a_dry_generate_or_import_refuses_what_the_verb_refuses_and_writes_nothing(make: Make) -> None:
    environment = make()
    path = keys.generate(environment, READER, dry=True)
    assert keys.import_(environment, READER, b"given", dry=True) == path
    assert not path.exists()
    with pytest.raises(SecretRefused):
        keys.generate(environment, READER, length=3, dry=True)
    with pytest.raises(SecretRefused):
        keys.import_(environment, READER, b"", dry=True)
    keys.generate(environment, READER)
    with pytest.raises(SecretRefused, match="is there already"):
        keys.generate(environment, READER, dry=True)


def test_a_secret_that_a_deploy_will_make_cannot_be_shown_yet(make: Make) -> None:
    environment = make()
    with pytest.raises(SecretMissing, match="is not made yet"):
        keys.content(environment, READER)
    keys.import_(environment, READER, b"given")
    assert keys.content(environment, READER) == Secret("given")
    with pytest.raises(UnknownName):
        keys.content(environment, "ro-usr-password")


def test_a_rotation_deploys_exactly_the_stacks_that_use_the_secret_its_own_first(make: Make, rotating: Any) -> None:
    environment = make()
    swarm(environment)
    before = content(environment, READER)
    deploys = rotating(READER)
    assert deploys.asked == [["db", "admin"]]
    assert deploys.seen == [content(environment, READER)]
    assert content(environment, READER) != before
    assert leftovers(environment) == []


def test_a_rotation_leaves_stacks_alone_that_do_not_run(make: Make, rotating: Any) -> None:
    engine = swarm(make(), ["db_bootstrap", "db_postgres", "db_haproxy"])
    assert rotating("gha-admin-password", engine=engine).asked == [["db"]]


def test_a_secret_that_nothing_uses_changes_its_file_alone(make: Make, rotating: Any) -> None:
    environment = make()
    assert rotating(READER, b"given\n", engine=swarm(environment, ["app_nginx"])).asked == []
    assert content(environment, READER) == "given"


def test_a_derived_secret_follows_its_password(make: Make, rotating: Any) -> None:
    environment = make()
    swarm(environment)
    assert rotating("traefik-admin", b"new password").asked == [["admin"]]
    how = manifests.declarations()["traefik-users"]
    assert secrets.fits(Secret(content(environment, "traefik-users")), how, Secret("new password"))


def test_when_the_deploy_fails_all_files_hold_what_they_held(make: Make, rotating: Any) -> None:
    environment = make()
    swarm(environment)
    before = {path: path.read_bytes() for path in environment.secrets.iterdir()}
    for error in (StackFailed("no"), Locked("no"), OSError("no")):
        with pytest.raises(type(error)):
            rotating("traefik-admin", error=error)
        assert {path: path.read_bytes() for path in environment.secrets.iterdir()} == before


def test_after_a_killed_client_the_next_rotation_completes_with_the_same_content(
    make: Make, rotating: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = make()
    engine = swarm(environment)
    before = content(environment, READER)
    with pytest.raises(KeyboardInterrupt):
        rotating(READER, error=KeyboardInterrupt(), engine=engine)
    half = content(environment, READER)
    assert half != before
    assert row(environment, engine, READER).state == f"rotation unfinished: ./run secret.rotate {READER}"
    kept = secrets.kept(environment.secrets, READER)
    assert (stat.S_IMODE(kept.stat().st_mode), kept.read_text()) == (0o600, f"{before}\n")
    capsys.readouterr()
    assert rotating(READER, engine=engine).seen == [half]
    assert "did not end; completing it" in capsys.readouterr().out
    assert leftovers(environment) == []


def test_a_completion_that_fails_goes_back_to_what_was_there_before_the_killed_client(
    make: Make, rotating: Any
) -> None:
    environment = make()
    engine = swarm(environment)
    before = content(environment, READER)
    with pytest.raises(KeyboardInterrupt):
        rotating(READER, error=KeyboardInterrupt(), engine=engine)
    with pytest.raises(StackFailed):
        rotating(READER, b"another", error=StackFailed("no"), engine=engine)
    assert content(environment, READER) == before
    assert leftovers(environment) == []


def test_a_killed_rotation_that_a_deploy_has_completed_is_over(make: Make, rotating: Any) -> None:
    environment = make()
    with pytest.raises(KeyboardInterrupt):
        rotating(READER, error=KeyboardInterrupt(), engine=swarm(environment))
    half = content(environment, READER)
    assert rotating(READER, engine=swarm(environment)).seen != [half]
    assert leftovers(environment) == []


def test_of_two_rotations_at_once_the_second_changes_nothing(make: Make, rotating: Any) -> None:
    environment = make()
    engine = swarm(environment)
    before = content(environment, READER)
    with keys._alone(environment.secrets, READER), pytest.raises(Locked, match="Another rotation"):
        rotating(READER, engine=engine)
    assert content(environment, READER) == before


def test_a_rotation_never_makes_up_secrets_whose_files_are_elsewhere(make: Make, rotating: Any) -> None:
    environment = make()
    engine = swarm(environment)
    secrets.file(environment.secrets, "postgres-password").unlink()
    with pytest.raises(SecretMissing, match=r"Not in .*: postgres-password\."):
        rotating(READER, engine=engine)
    assert not secrets.file(environment.secrets, "postgres-password").exists()


def test_no_word_of_a_rotation_is_a_secret(make: Make, rotating: Any, capsys: pytest.CaptureFixture[str]) -> None:
    environment = make()
    engine = swarm(environment)
    before = {content(environment, name) for name in MADE}
    rotating("traefik-admin", engine=engine)
    with pytest.raises(StackFailed):
        rotating("traefik-admin", error=StackFailed("no"), engine=engine)
    said = "".join(capsys.readouterr())
    after = {content(environment, name) for name in MADE}
    assert not [secret for secret in before | after if secret in said]
