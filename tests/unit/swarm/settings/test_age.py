"""Secrets that are encrypted for several operators."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from swarm.errors import SecretNotDecrypted, SecretRefused, SwarmstatsError
from swarm.settings import age, hash_cache, secrets
from swarm.settings.secrets import Declaration, Secret
from tests.support.age import Operator, share

KNOWN = {
    "database": Declaration(generate="password"),
    "users": Declaration(htpasswd="database"),
    "token": Declaration(),
}
TEXT = "cörrect 'horse' \"$\\ battery"
ROOT = Path(__file__).parents[4]
Become = Callable[[Operator], None]


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No identity of the person who runs the tests."""
    monkeypatch.delenv(age.IDENTITY_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def become(monkeypatch: pytest.MonkeyPatch) -> Become:
    return lambda operator: monkeypatch.setenv(age.IDENTITY_VARIABLE, str(operator.identity))


@pytest.fixture
def ann(tmp_path: Path) -> Operator:
    return Operator(tmp_path, "ann")


@pytest.fixture
def bob(tmp_path: Path) -> Operator:
    return Operator(tmp_path, "bob")


@pytest.fixture
def folder(tmp_path: Path, ann: Operator, become: Become) -> Path:
    """A folder of secrets that are encrypted for ann, who is at work."""
    share(tmp_path / "secrets", ann)
    become(ann)
    return tmp_path / "secrets"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {age.RECIPIENTS}


def holds_no(folder: Path, *texts: str) -> None:
    for path in folder.iterdir():
        for text in texts:
            assert text.encode() not in path.read_bytes(), path.name


def read(folder: Path, name: str) -> str:
    found = secrets.read(secrets.file(folder, name))
    return found.reveal() if found else ""


def test_a_secret_is_written_encrypted_where_there_are_recipients_and_read_again(folder: Path) -> None:
    secrets.write(folder, "token", Secret(TEXT))
    assert names(folder) == {"token.age"}
    assert (folder / "token.age").read_text().startswith("-----BEGIN AGE ENCRYPTED FILE-----")
    assert read(folder, "token") == secrets.get(folder, "token", KNOWN).reveal() == TEXT
    holds_no(folder, TEXT)


def test_what_a_deploy_generates_and_derives_is_encrypted_and_fresh(folder: Path) -> None:
    users = secrets.get(folder, "users", KNOWN)
    made = secrets.get(folder, "database", KNOWN)
    assert names(folder) == {"users.age", "database.age", ".database~.fresh"}
    assert secrets.fresh(folder, "database")
    assert secrets.get(folder, "users", KNOWN) == users
    holds_no(folder, made.reveal(), users.reveal())


def test_two_operators_read_what_either_wrote(folder: Path, ann: Operator, bob: Operator, become: Become) -> None:
    share(folder, ann, bob)
    secrets.write(folder, "token", Secret(TEXT))
    become(bob)
    assert read(folder, "token") == TEXT
    secrets.write(folder, "token", Secret("another"))
    become(ann)
    assert read(folder, "token") == "another"


def test_who_is_no_recipient_any_more_reads_nothing_that_is_encrypted_anew(
    folder: Path, ann: Operator, bob: Operator, become: Become
) -> None:
    share(folder, ann, bob)
    secrets.write(folder, "token", Secret(TEXT))
    share(folder, ann)
    assert secrets.encrypt(folder, "token")
    become(bob)
    with pytest.raises(SecretNotDecrypted, match="but not for the identity") as caught:
        read(folder, "token")
    assert "recipients.txt" in caught.value.hint
    become(ann)
    assert read(folder, "token") == TEXT


def test_without_an_identity_the_error_says_how_to_get_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets.write(folder, "token", Secret(TEXT))
    monkeypatch.delenv(age.IDENTITY_VARIABLE)
    with pytest.raises(SecretNotDecrypted, match="no age identity was found") as caught:
        secrets.look(folder, "token", KNOWN)
    assert age.IDENTITY_VARIABLE in caught.value.hint
    assert caught.value.exit_code == 92


@pytest.mark.parametrize("place", age.USUAL_PLACES)
def test_an_identity_in_a_usual_place_serves(
    folder: Path, ann: Operator, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets.write(folder, "token", Secret(TEXT))
    monkeypatch.delenv(age.IDENTITY_VARIABLE)
    path = tmp_path / "config" / place
    path.parent.mkdir(parents=True)
    ann.identity.rename(path)
    assert read(folder, "token") == TEXT


def test_an_identity_that_is_named_and_missing_or_none_is_an_error_that_shows_nothing_of_it(
    folder: Path, ann: Operator
) -> None:
    secrets.write(folder, "token", Secret(TEXT))
    ann.identity.write_text(f"{ann.private[:-3]}\n")
    with pytest.raises(SecretNotDecrypted, match="is not a valid age identity") as caught:
        read(folder, "token")
    assert ann.private[20:40] not in f"{caught.value.message}{caught.value.hint}"
    ann.identity.unlink()
    with pytest.raises(SecretNotDecrypted, match="cannot be read"):
        read(folder, "token")


@pytest.mark.parametrize(
    "spoil", [lambda it: it[:-60], lambda it: b"x", lambda it: b"", lambda it: it.replace(b"A", b"B")]
)
def test_a_damaged_file_is_an_error_with_its_place(folder: Path, spoil: Callable[[bytes], bytes]) -> None:
    secrets.write(folder, "token", Secret(TEXT))
    path = folder / "token.age"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(SecretNotDecrypted, match=r"token\.age is damaged"):
        read(folder, "token")


def test_a_plain_file_next_to_the_encrypted_one_must_hold_the_same(folder: Path) -> None:
    secrets.write(folder, "token", Secret(TEXT))
    (folder / "token.secret").write_text(f"{TEXT}\n")
    assert read(folder, "token") == TEXT
    (folder / "token.secret").write_text("another\n")
    with pytest.raises(SecretRefused, match=r"token\.secret and token\.age have different content") as caught:
        secrets.look(folder, "token", KNOWN)
    assert TEXT not in caught.value.message
    for change in (lambda: secrets.encrypt(folder, "token"), lambda: secrets.write(folder, "token", Secret("third"))):
        with pytest.raises(SecretRefused, match="different"):
            change()
    assert (folder / "token.secret").read_text() == "another\n"


@pytest.mark.parametrize(
    ("lines", "said"),
    [("# nobody\n", "lists no recipients"), ("# me\nAGE-SECRET-KEY-1XY\n", "recipients.txt:2: not a")],
)
def test_a_list_of_recipients_that_is_none_changes_nothing(folder: Path, lines: str, said: str) -> None:
    secrets.write(folder, "token", Secret(TEXT))
    (folder / age.RECIPIENTS).write_text(lines)
    with pytest.raises(SecretRefused, match=said) as caught:
        secrets.write(folder, "token", Secret("another"))
    assert "SECRET-KEY" not in caught.value.message
    assert read(folder, "token") == TEXT


def test_without_the_list_an_encrypted_secret_is_not_replaced_by_a_plain_one(folder: Path) -> None:
    secrets.write(folder, "token", Secret(TEXT))
    (folder / age.RECIPIENTS).unlink()
    with pytest.raises(SecretRefused, match=r"recipients\.txt is missing"):
        secrets.write(folder, "token", Secret("another"))
    assert names(folder) == {"token.age"}
    assert read(folder, "token") == TEXT


def test_nobody_locks_themselves_out(folder: Path, bob: Operator) -> None:
    (folder / "token.secret").write_text(f"{TEXT}\n")
    share(folder, bob)
    for dry in (True, False):
        with pytest.raises(SecretNotDecrypted, match="does not contain your public key"):
            secrets.encrypt(folder, "token", dry=dry)
    assert names(folder) == {"token.secret"}


def test_a_plain_file_is_removed_once_it_is_encrypted_with_what_a_rotation_kept(folder: Path) -> None:
    (folder / "token.secret").write_text(f"{TEXT}\n")
    (folder / ".token~.secret").write_text("former\n")
    assert secrets.encrypt(folder, "token", dry=True)
    assert names(folder) == {"token.secret", ".token~.secret"}
    assert secrets.encrypt(folder, "token")
    assert names(folder) == {"token.age", ".token~.age"}
    assert read(folder, "token") == TEXT
    assert secrets.read(secrets.kept(folder, "token")) == Secret("former")
    holds_no(folder, TEXT, "former")
    assert not secrets.encrypt(folder, "database")


def test_what_is_kept_is_encrypted_and_comes_back_as_it_was(folder: Path) -> None:
    secrets.write(folder, "token", Secret(TEXT))
    before = (folder / "token.age").read_bytes()
    secrets.keep(folder, "token")
    secrets.write(folder, "token", Secret("another"))
    assert names(folder) == {"token.age", ".token~.age"}
    holds_no(folder, TEXT, "another")
    secrets.restore(folder, "token")
    assert names(folder) == {"token.age"}
    assert (folder / "token.age").read_bytes() == before


def test_of_a_plain_file_that_becomes_encrypted_what_is_kept_is_encrypted_too(folder: Path) -> None:
    (folder / "token.secret").write_text(f"{TEXT}\n")
    secrets.keep(folder, "token")
    assert names(folder) == {"token.secret", ".token~.age"}
    secrets.write(folder, "token", Secret("another"))
    assert names(folder) == {"token.age", ".token~.age"}
    secrets.restore(folder, "token")
    assert read(folder, "token") == TEXT
    secrets.keep(folder, "token")
    secrets.forget(folder, "token")
    assert names(folder) == {"token.age"}


def test_of_a_secret_that_was_not_there_nothing_is_left(folder: Path) -> None:
    secrets.keep(folder, "token")
    secrets.write(folder, "token", Secret(TEXT))
    secrets.restore(folder, "token")
    assert names(folder) == set()


@pytest.mark.parametrize("at", range(4))
def test_killed_at_any_write_the_old_or_the_new_content_is_there(
    folder: Path, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "token.secret").write_text(f"{TEXT}\n")
    steps = 0
    real_write, real_unlink = secrets.write_atomically, Path.unlink

    def step() -> None:
        nonlocal steps
        if steps == at:
            raise KeyboardInterrupt
        steps += 1

    def write(path: Path, *rest: object) -> None:
        step()
        real_write(path, *rest)  # type: ignore[arg-type]

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path.name == "token.secret":
            step()
        real_unlink(path, missing_ok)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(secrets, "write_atomically", write)
        patch.setattr(Path, "unlink", unlink)
        secrets.write(folder, "token", Secret("another"))
    assert read(folder, "token") == (TEXT if at < 3 else "another")


def test_a_slow_hash_is_remembered_for_an_encrypted_file_without_its_text(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hash_cache, "HOME", tmp_path / "memory")
    secrets.write(folder, "token", Secret(TEXT))
    path = secrets.file(folder, "token")
    monkeypatch.setattr(hash_cache, "STARTED", path.stat().st_ctime_ns + 2 * hash_cache.MARGIN_NANOSECONDS)
    assert hash_cache.cached("hash", [path], lambda: "one") == "one"
    assert hash_cache.cached("hash", [path], lambda: "two") == "one"
    holds_no(tmp_path / "memory", TEXT)
    secrets.write(folder, "token", Secret("another"))
    assert hash_cache.cached("hash", [path], lambda: "two") == "two"


def test_errors_are_errors_of_ours(folder: Path) -> None:
    (folder / "token.age").write_bytes(b"\xff\xfe")
    with pytest.raises(SwarmstatsError):
        read(folder, "token")


def test_git_takes_encrypted_files_and_no_plain_text() -> None:
    there = ["token.age", "recipients.txt", "token.secret.example"]
    ignored = ["token.secret", ".token~.secret", ".token~.age", ".token~.fresh", ".0123abcd.token.age"]
    asked = [f"env/lab/secrets/{name}" for name in (*there, *ignored)]
    said = subprocess.run(("git", "check-ignore", "--no-index", *asked), cwd=ROOT, capture_output=True, text=True)
    assert said.stdout.split("\n")[:-1] == [f"env/lab/secrets/{name}" for name in ignored]
