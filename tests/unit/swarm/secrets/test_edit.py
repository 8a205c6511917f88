import stat
from pathlib import Path

import pytest

from swarm.errors import Locked, SecretMissing, SecretNotDecrypted, SecretRefused, UnknownName
from swarm.host.folder_lock import lock_folder
from swarm.report import Report
from swarm.secrets import edit
from swarm.settings import age, secrets
from swarm.settings.secrets import Secret
from tests.support.age import Operator, share
from tests.support.secrets import READER, content, leftovers
from tests.unit.swarm.conftest import Make


def test_a_password_is_generated_into_a_file_of_its_owner_alone_in_a_folder_of_theirs(make: Make) -> None:
    environment = make()
    path = edit.generate(environment, READER, length=40)
    assert len(content(environment, READER)) == 40
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert leftovers(environment) == []


def test_a_file_that_is_there_is_generated_anew_only_by_force(make: Make) -> None:
    environment = make()
    edit.generate(environment, READER)
    before = content(environment, READER)
    with pytest.raises(SecretRefused, match="already exists") as caught:
        edit.generate(environment, READER)
    assert "secret.rotate" in caught.value.hint
    assert content(environment, READER) == before
    edit.generate(environment, READER, force=True)
    assert content(environment, READER) != before


@pytest.mark.parametrize("length", [0, 15, 1025])
def test_a_length_that_is_no_password_is_refused_and_the_file_stays(make: Make, length: int) -> None:
    environment = make()
    edit.generate(environment, READER)
    before = content(environment, READER)
    with pytest.raises(SecretRefused):
        edit.generate(environment, READER, force=True, length=length)
    assert content(environment, READER) == before


def test_what_is_derived_is_neither_generated_nor_given(make: Make) -> None:
    environment = make()
    for attempt in (
        lambda: edit.generate(environment, "traefik-users"),
        lambda: edit.import_(environment, "traefik-users", b"admin:x"),
    ):
        with pytest.raises(SecretRefused, match="derived from traefik-admin"):
            attempt()


def test_a_password_whose_hash_takes_72_bytes_is_no_longer(make: Make) -> None:
    with pytest.raises(SecretRefused, match="72 bytes"):
        edit.import_(make(), "traefik-admin", b"x" * 73)
    edit.import_(make(), "traefik-admin", b"x" * 72)


def test_an_unknown_secret_gives_the_nearest_names(make: Make) -> None:
    with pytest.raises(UnknownName, match=r"Did you mean ro-user-password"):
        edit.import_(make(), "ro-usr-password", b"x")


@pytest.mark.parametrize(
    ("given", "kept"), [(b"pass word", "pass word"), (b"x\n", "x"), (b"x\r\n", "x"), (b" x \n", " x ")]
)
def test_a_given_secret_loses_exactly_its_trailing_newline(make: Make, given: bytes, kept: str) -> None:
    environment = make()
    path = edit.import_(environment, READER, given)
    assert content(environment, READER) == kept
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "given", [b"", b"\n", b"a\nb", b"a\n\n", b"a\0b", b"\xff\xfe", b"x" * (secrets.LARGEST_BYTES + 1)]
)
def test_what_can_be_no_password_is_refused_without_being_shown_and_the_file_stays(make: Make, given: bytes) -> None:
    environment = make()
    edit.import_(environment, READER, b"before")
    with pytest.raises(SecretRefused) as caught:
        edit.import_(environment, READER, given)
    assert "a\nb" not in str(caught.value)
    assert content(environment, READER) == "before"


def test_a_source_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SecretMissing, match="No such file"):
        edit.source(str(tmp_path / "absent"), READER, Report())


def test_a_dry_generate_or_import_refuses_what_the_verb_refuses_and_writes_nothing(make: Make) -> None:
    environment = make()
    path = edit.generate(environment, READER, dry=True)
    assert edit.import_(environment, READER, b"given", dry=True) == path
    assert not path.exists()
    with pytest.raises(SecretRefused):
        edit.generate(environment, READER, length=3, dry=True)
    with pytest.raises(SecretRefused):
        edit.import_(environment, READER, b"", dry=True)
    edit.generate(environment, READER)
    with pytest.raises(SecretRefused, match="already exists"):
        edit.generate(environment, READER, dry=True)


def test_a_secret_that_a_deploy_will_make_cannot_be_shown_yet(make: Make) -> None:
    environment = make()
    with pytest.raises(SecretMissing, match=r"\.secret is missing"):
        edit.content(environment, READER)
    edit.import_(environment, READER, b"given")
    assert edit.content(environment, READER) == Secret("given")
    with pytest.raises(UnknownName):
        edit.content(environment, "ro-usr-password")


def test_plain_files_become_encrypted_ones_and_a_dry_run_refuses_the_same(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment, ann = make(), Operator(tmp_path, "ann")
    monkeypatch.setenv(age.IDENTITY_VARIABLE, str(ann.identity))
    with pytest.raises(SecretMissing, match="no file to encrypt"):
        edit.encrypt(environment, READER)
    edit.generate(environment, READER)
    before = content(environment, READER)
    for dry in (True, False):
        with pytest.raises(SecretRefused, match=r"recipients.txt is missing"):
            edit.encrypt(environment, "all", dry=dry)
    share(environment.secrets, ann)
    paths = edit.encrypt(environment, "all", dry=True)
    assert [path.name for path in paths] == [f"{READER}.age"]
    assert not paths[0].exists()
    assert edit.encrypt(environment, "all") == paths
    assert not (environment.secrets / f"{READER}.secret").exists()
    assert edit.content(environment, READER).reveal() == before
    with pytest.raises(UnknownName):
        edit.encrypt(environment, "nonsense")


def test_where_secrets_are_shared_new_ones_are_encrypted_from_the_start(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment, ann = make(), Operator(tmp_path, "ann")
    monkeypatch.setenv(age.IDENTITY_VARIABLE, str(ann.identity))
    share(environment.secrets, ann)
    assert edit.generate(environment, READER).name == f"{READER}.age"
    with pytest.raises(SecretRefused, match=f"{READER}.age already exists"):
        edit.generate(environment, READER)
    edit.import_(environment, READER, b"a given password\n")
    assert edit.content(environment, READER).reveal() == "a given password"
    assert [path.name for path in environment.secrets.iterdir() if path.suffix == ".secret"] == []


def test_one_secret_is_not_encrypted_while_a_rotation_runs(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment, ann = make(), Operator(tmp_path, "ann")
    monkeypatch.setenv(age.IDENTITY_VARIABLE, str(ann.identity))
    edit.generate(environment, READER)
    share(environment.secrets, ann)
    with lock_folder(environment.secrets, lambda: None), pytest.raises(Locked):
        edit.encrypt(environment, READER)
    assert (environment.secrets / f"{READER}.secret").exists()


@pytest.mark.parametrize("dry", [True, False])
def test_what_could_not_be_read_again_is_refused_by_a_dry_run_too(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dry: bool
) -> None:
    environment, ann, bob = make(), Operator(tmp_path, "ann"), Operator(tmp_path, "bob")
    monkeypatch.setenv(age.IDENTITY_VARIABLE, str(bob.identity))
    share(environment.secrets, ann)
    for attempt in (
        lambda: edit.generate(environment, READER, dry=dry),
        lambda: edit.import_(environment, READER, b"a given password", dry=dry),
    ):
        with pytest.raises(SecretNotDecrypted, match="does not contain your public key"):
            attempt()
    assert [path.name for path in environment.secrets.iterdir()] == [age.RECIPIENTS]
