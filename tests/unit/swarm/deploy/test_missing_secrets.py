"""A checkout whose secret files are missing never replaces live passwords."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from swarm.deploy import changeset, deploy, missing_secrets
from swarm.deploy.deployment import Options
from swarm.errors import SecretFileMissing, SecretNotDecrypted
from swarm.secrets import edit
from swarm.settings import age, secrets
from swarm.settings.environment import Environment
from swarm.stacks import manifest, stack, targets
from tests.support.age import Operator, share
from tests.support.secrets import MADE, READER, Swarm, swarm
from tests.support.sessions import session
from tests.unit.swarm.conftest import Make

ADMIN, USERS = "traefik-admin", "traefik-users"
DATABASE = ("gha-admin-password", "postgres-password", "replication-password")


def remove(environment: Environment, *names: str) -> None:
    for name in names:
        secrets.file(environment.secrets, name).unlink()


def files(environment: Environment) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in environment.secrets.glob("*")}


def refused(environment: Environment, engine: Swarm, names: Iterable[str] = tuple(MADE)) -> SecretFileMissing:
    with pytest.raises(SecretFileMissing) as caught:
        missing_secrets.require(environment, names, engine)
    return caught.value


def test_all_missing_files_are_named_at_once_with_the_ways_out(make: Make) -> None:
    environment = make()
    engine = swarm(environment)
    remove(environment, *DATABASE)
    error = refused(environment, engine)
    for name in DATABASE:
        assert f"{name}: it exists in the swarm, but its file is missing here" in error.message
    assert READER not in error.message
    for way in ("Copy the files", "./run secret.fetch", "./run secret.rotate NAME"):
        assert way in error.hint


@pytest.mark.parametrize("dry", [True, False])
def test_a_deploy_without_the_files_is_refused_before_anything_is_changed(make: Make, dry: bool) -> None:
    environment = make()
    engine = swarm(environment)
    remove(environment, *DATABASE)
    before = files(environment)
    with pytest.raises(SecretFileMissing):
        # This engine can be asked for services and secrets only: whatever would change it fails the test.
        deploy.deploy(session(environment, engine), targets.select(environment, "all"), Options(dry=dry))
    assert files(environment) == before


def test_a_plan_without_the_files_is_refused(make: Make) -> None:
    environment = make()
    engine = swarm(environment)
    remove(environment, READER)
    with pytest.raises(SecretFileMissing, match=READER):
        changeset.collect(session(environment, engine), targets.select(environment, "admin"))


def test_what_is_to_be_delivered_is_checked_before_it_is_built(make: Make) -> None:
    environment = make()
    engine = swarm(environment)
    remove(environment, "gha-admin-password")
    with pytest.raises(SecretFileMissing, match="gha-admin-password"):
        missing_secrets.require_for(environment, targets.select(environment, "project"), engine)
    missing_secrets.require_for(environment, targets.select(environment, "admin"), engine)


def test_without_any_file_a_fresh_swarm_is_deployed_with_generated_secrets(make: Make) -> None:
    environment = make()
    missing_secrets.require(environment, MADE, Swarm())
    rendered = [stack.render(environment, target) for target in targets.select(environment, "db,admin")]
    assert deploy._secrets_made(session(environment, Swarm()), rendered, dry=False)
    missing_secrets.require(environment, MADE, Swarm())


def test_a_secret_that_the_swarm_does_not_have_is_generated_beside_those_that_it_has(make: Make) -> None:
    environment = make()
    engine = swarm(environment, ["admin_portal"])
    remove(environment, "postgres-password")
    missing_secrets.require(environment, MADE, engine)


def test_a_version_that_no_service_uses_counts_as_well(make: Make) -> None:
    """After a clean the volumes of the database still have the passwords, and releases keep their versions."""
    environment = make()
    engine = replace(swarm(environment), uses={})
    remove(environment, READER)
    assert READER in refused(environment, engine).message


def test_a_file_of_the_operator_that_differs_is_meant_and_deployed(make: Make) -> None:
    environment = make()
    engine = swarm(environment)
    secrets.write(environment.secrets, READER, secrets.password())
    missing_secrets.require(environment, MADE, engine)


def test_a_file_that_was_generated_here_never_replaces_what_another_checkout_deployed_meanwhile(make: Make) -> None:
    environment = make()
    generated = secrets.get(environment.secrets, READER, MADE)
    assert secrets.fresh(environment.secrets, READER)
    other = make(name="other")
    engine = swarm(other)
    assert f"{READER}: its file was generated here, but the swarm received different content" in (
        refused(environment, engine, [READER]).message
    )
    # Said on purpose, the same content is deployed.
    secrets.write(environment.secrets, READER, generated)
    missing_secrets.require(environment, [READER], engine)


def test_a_generated_file_is_settled_once_the_swarm_has_it(make: Make) -> None:
    environment = make()
    for name in (READER, ADMIN):
        secrets.get(environment.secrets, name, MADE)
    missing_secrets.settle(environment, MADE, Swarm())
    assert all(secrets.fresh(environment.secrets, name) for name in (READER, ADMIN))
    engine = swarm(environment)
    missing_secrets.require(environment, MADE, engine)
    missing_secrets.settle(environment, MADE, engine)
    assert not any(secrets.fresh(environment.secrets, name) for name in (READER, ADMIN))
    assert not [path for path in environment.secrets.iterdir() if path.name.startswith(".")]


def test_a_hash_whose_password_is_missing_too_is_never_made_again(make: Make) -> None:
    environment = make()
    engine = swarm(environment)
    remove(environment, ADMIN, USERS)
    assert f"{USERS}: it exists in the swarm, but its file is missing here (made from {ADMIN}" in (
        refused(environment, engine).message
    )


def test_a_hash_serves_without_its_password(make: Make) -> None:
    environment = make()
    engine = swarm(environment)
    before = secrets.look(environment.secrets, USERS, MADE)
    remove(environment, ADMIN)
    missing_secrets.require(environment, MADE, engine)
    assert secrets.look(environment.secrets, USERS, MADE) == before
    assert secrets.get(environment.secrets, USERS, MADE) == before
    assert missing_secrets.unknown_passwords(environment, MADE, engine) == []


def test_a_hash_whose_password_nobody_knows_is_made_again_on_a_fresh_swarm(make: Make) -> None:
    environment = make()
    swarm(environment)
    remove(environment, ADMIN)
    rendered = [stack.render(environment, target) for target in targets.select(environment, "admin")]
    before = secrets.look(environment.secrets, USERS, MADE)
    assert deploy._secrets_made(session(environment, Swarm()), rendered, dry=False)
    assert secrets.file(environment.secrets, ADMIN).exists()
    assert secrets.look(environment.secrets, USERS, MADE) != before


def test_a_hash_is_made_from_a_password_that_the_operator_has(make: Make) -> None:
    environment = make()
    engine = swarm(environment)
    remove(environment, USERS)
    missing_secrets.require(environment, MADE, engine)


def test_rendering_needs_no_file_and_writes_none(make: Make) -> None:
    environment = make()
    swarm(environment)
    remove(environment, READER)
    before = files(environment)
    for target in targets.select(environment, "all"):
        stack.render(environment, target)
    assert files(environment) == before


def test_every_generated_secret_is_guarded(make: Make) -> None:
    environment = make()
    engine = swarm(environment)
    held = {name.rpartition("_")[0] for name in engine.there}
    for file in environment.secrets.iterdir():
        file.unlink()
    found = missing_secrets.complaints(environment, manifest.declarations(), engine)
    assert found.keys() == held


def test_an_encrypted_file_counts_as_the_file(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment, ann = make(), Operator(tmp_path, "ann")
    engine = swarm(environment)
    monkeypatch.setenv(age.IDENTITY_VARIABLE, str(ann.identity))
    share(environment.secrets, ann)
    edit.encrypt(environment, edit.EVERY)
    missing_secrets.require(environment, MADE, engine)
    remove(environment, READER)
    assert READER in refused(environment, engine).message


def test_who_cannot_decrypt_a_file_deploys_nothing(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment, ann, bob = make(), Operator(tmp_path, "ann"), Operator(tmp_path, "bob")
    engine = swarm(environment)
    monkeypatch.setenv(age.IDENTITY_VARIABLE, str(ann.identity))
    share(environment.secrets, ann)
    edit.encrypt(environment, edit.EVERY)
    monkeypatch.setenv(age.IDENTITY_VARIABLE, str(bob.identity))
    before = files(environment)
    with pytest.raises(SecretNotDecrypted, match="but not for the identity"):
        deploy.deploy(session(environment, engine), targets.select(environment, "db"), Options())
    assert files(environment) == before
