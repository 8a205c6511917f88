import stat
from pathlib import Path

import bcrypt
import pytest

from swarm.errors import SecretMissing, SecretRefused
from swarm.settings import secrets
from swarm.settings.secrets import Declaration, Secret

KNOWN = {
    "database": Declaration(generate="password"),
    "users": Declaration(htpasswd="database", user="admin"),
    "token": Declaration(),
}


def test_a_secret_prints_stars_however_it_is_printed() -> None:
    secret = Secret("hunter2")
    assert f"{secret} {secret!r} {[secret]}" == "*** *** [***]"


def test_a_missing_secret_is_generated_once_into_a_file_of_its_owner_alone(tmp_path: Path) -> None:
    first = secrets.get(tmp_path / "secrets", "database", KNOWN)
    file = tmp_path / "secrets" / "database.secret"
    assert len(first.reveal()) == secrets.PASSWORD_LENGTH
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secrets.get(tmp_path / "secrets", "database", KNOWN) == first


def test_a_trailing_newline_is_stripped_and_wide_permissions_are_narrowed(tmp_path: Path) -> None:
    file = tmp_path / "database.secret"
    file.write_text("given \r\n")
    file.chmod(0o644)
    assert secrets.get(tmp_path, "database", KNOWN).reveal() == "given "
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_secret_that_must_be_given_says_where_to_write_it(tmp_path: Path) -> None:
    with pytest.raises(SecretMissing) as caught:
        secrets.get(tmp_path, "token", KNOWN)
    assert "token.secret" in caught.value.hint


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token.secret").write_text("\n")
    with pytest.raises(SecretMissing, match="is empty"):
        secrets.get(tmp_path, "token", KNOWN)


def test_a_users_file_keeps_its_salt_until_the_password_changes(tmp_path: Path) -> None:
    first = secrets.get(tmp_path, "users", KNOWN)
    assert secrets.get(tmp_path, "users", KNOWN) == first
    (tmp_path / "database.secret").write_text("changed\n")
    second = secrets.get(tmp_path, "users", KNOWN)
    user, _, hashed = second.reveal().partition(":")
    assert user == "admin"
    assert bcrypt.checkpw(b"changed", hashed.encode())


def test_who_only_looks_finds_what_stands_for_a_secret_that_is_not_made_and_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    for name in ("database", "users"):
        assert secrets.look(folder, name, KNOWN) == secrets.unmade(name)
    assert not folder.exists()
    made = {name: secrets.get(folder, name, KNOWN) for name in ("users", "database")}
    assert {name: secrets.look(folder, name, KNOWN) for name in made} == made


def test_who_only_looks_leaves_permissions_and_outdated_users_as_they_are(tmp_path: Path) -> None:
    before = secrets.get(tmp_path, "users", KNOWN)
    file = tmp_path / "database.secret"
    file.write_text("changed\n")
    file.chmod(0o644)
    assert secrets.look(tmp_path, "users", KNOWN) == secrets.unmade("users")
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert secrets.read(tmp_path / "users.secret") == before


def test_a_file_that_cannot_be_read_or_written_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "token.secret").mkdir()
    with pytest.raises(SecretMissing, match=r"token\.secret cannot be read"):
        secrets.look(tmp_path, "token", KNOWN)
    (tmp_path / "file").write_text("")
    with pytest.raises(SecretRefused, match=r"file/database\.secret cannot be written"):
        secrets.get(tmp_path / "file", "database", KNOWN)
