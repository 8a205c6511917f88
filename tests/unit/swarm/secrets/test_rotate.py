import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from swarm.deploy.changeset import ChangeSet
from swarm.engine.client import Engine
from swarm.errors import Locked, SecretFileMissing, SecretNotDecrypted, SecretRefused, StackFailed
from swarm.live.services import Snapshot
from swarm.secrets import edit, rotate
from swarm.session import Session
from swarm.settings import age, secrets
from swarm.settings.environment import Environment
from swarm.settings.secrets import Secret
from swarm.stacks import manifest
from swarm.stacks.targets import Target
from tests.support.age import Operator, share
from tests.support.secrets import MADE, READER, content, leftovers, row, swarm
from tests.support.sessions import session
from tests.unit.swarm.conftest import Make


class Deploys:
    """Stands for the use case deploy: takes down what it was asked for, looks at the file, and may fail."""

    def __init__(self, environment: Environment, name: str, error: BaseException | None = None) -> None:
        self.asked: list[list[str]] = []
        self.seen: list[str] = []
        self.environment, self.name, self.error = environment, name, error

    def __call__(self, session: Session, targets: Sequence[Target], *_: Any, **__: Any) -> None:
        self.asked.append([target.name for target in targets])
        environment = session.environment
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
        monkeypatch.setattr(rotate.deploy, "deploy", deploys)
        monkeypatch.setattr(rotate.changeset, "collect", lambda *_: ChangeSet((), {}, {}, {}, Snapshot((), (), (), ())))
        rotate.rotate(session(environment, engine), name, given, **options)
        return deploys

    return _rotating


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
    assert "job, runs again" in said


def test_a_rotation_is_told_to_machines_beforehand(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = make()
    engine = swarm(environment)
    monkeypatch.setattr(rotate.changeset, "collect", lambda *_: ChangeSet((), {}, {}, {}, Snapshot((), (), (), ())))
    assert rotate.preview(session(environment, engine), READER, None).as_json() == {
        "secrets": (READER,),
        "restarts": [
            {"stack": "db", "service": "db_bootstrap", "tasks": "job, runs again"},
            {"stack": "admin", "service": "admin_portal", "tasks": "1"},
        ],
        "also_deploys": (),
    }


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
    how = manifest.declarations()["traefik-users"]
    assert secrets.fits(Secret(content(environment, "traefik-users")), how, Secret("new password"))


def test_what_is_derived_is_not_rotated_by_itself(rotating: Any) -> None:
    with pytest.raises(SecretRefused, match="derived from traefik-admin"):
        rotating("traefik-users")


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
    assert "is unfinished; completing it" in capsys.readouterr().out
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
    with rotate._alone(environment.secrets, READER), pytest.raises(Locked, match="Another rotation"):
        rotating(READER, engine=engine)
    assert content(environment, READER) == before


def test_a_rotation_never_makes_up_secrets_whose_files_are_elsewhere(make: Make, rotating: Any) -> None:
    environment = make()
    engine = swarm(environment)
    secrets.file(environment.secrets, "postgres-password").unlink()
    with pytest.raises(SecretFileMissing, match="postgres-password: it exists in the swarm"):
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


def shared_by_age(environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Encrypt all secrets of an environment for one operator."""
    ann = Operator(tmp_path, "ann")
    monkeypatch.setenv(age.IDENTITY_VARIABLE, str(ann.identity))
    share(environment.secrets, ann)
    edit.encrypt(environment, edit.EVERY)


def plain_files(environment: Environment) -> list[str]:
    return [path.name for path in environment.secrets.iterdir() if path.suffix == ".secret"]


def test_an_encrypted_secret_is_rotated_and_no_plain_text_is_left(
    make: Make, rotating: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = make()
    engine = swarm(environment)
    shared_by_age(environment, tmp_path, monkeypatch)
    before = edit.content(environment, READER)
    rotating(READER, engine=engine)
    assert edit.content(environment, READER) != before
    assert plain_files(environment) == []
    assert not secrets.kept(environment.secrets, READER).exists()


def test_an_encrypted_secret_comes_back_to_the_byte_when_the_deploy_fails(
    make: Make, rotating: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = make()
    engine = swarm(environment)
    shared_by_age(environment, tmp_path, monkeypatch)
    path = secrets.file(environment.secrets, READER)
    before = path.read_bytes()
    with pytest.raises(StackFailed):
        rotating(READER, error=StackFailed("it did"), engine=engine)
    assert path.read_bytes() == before
    assert plain_files(environment) == []


def test_after_a_killed_client_an_encrypted_secret_is_completed(
    make: Make, rotating: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = make()
    engine = swarm(environment)
    shared_by_age(environment, tmp_path, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        rotating(READER, error=KeyboardInterrupt(), engine=engine)
    killed = edit.content(environment, READER)
    assert secrets.kept(environment.secrets, READER).suffix == ".age"
    assert plain_files(environment) == []
    rotating(READER, engine=engine)
    assert edit.content(environment, READER) == killed
    assert not secrets.kept(environment.secrets, READER).exists()


@pytest.mark.parametrize("dry", [True, False])
def test_who_cannot_decrypt_a_secret_does_not_rotate_it(
    make: Make, rotating: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dry: bool
) -> None:
    environment = make()
    engine = swarm(environment)
    shared_by_age(environment, tmp_path, monkeypatch)
    monkeypatch.setenv(age.IDENTITY_VARIABLE, str(Operator(tmp_path, "bob").identity))
    before = {path: path.read_bytes() for path in environment.secrets.iterdir()}
    with pytest.raises(SecretNotDecrypted):
        rotating(READER, engine=engine, dry=dry)
    assert {path: path.read_bytes() for path in environment.secrets.iterdir()} == before
