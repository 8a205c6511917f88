import stat

from swarm.secrets import edit, inventory
from swarm.settings import secrets
from tests.support.secrets import MADE, READER, content, row, swarm
from tests.unit.swarm.conftest import Make


def test_the_list_says_how_secrets_come_to_be_and_who_uses_them(make: Make) -> None:
    environment = make()
    rows = {item.name: item for item in inventory.rows(environment, None)}
    assert rows[READER].services == ("admin_portal", "db_bootstrap")
    assert rows["gha-admin-password"].services[-2:] == ("apache_sync", "rust-lang_sync")
    assert (rows[READER].origin, rows["traefik-users"].origin) == ("generated", "htpasswd of traefik-admin")
    assert rows["traefik-admin"].users == "traefik-users"
    assert {item.file for item in rows.values()} == {"absent"}
    assert {item.state for item in rows.values()} == {"?"}
    assert not environment.secrets.exists()


def test_the_list_flags_a_file_that_others_may_read_and_leaves_it(make: Make) -> None:
    environment = make()
    path = edit.generate(environment, READER)
    path.chmod(0o644)
    assert row(environment, None, READER).file == "mode 0644, not 0600"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_the_list_compares_file_and_swarm_by_names_alone(make: Make) -> None:
    environment = make()
    engine = swarm(environment)
    assert {item.state for item in inventory.rows(environment, engine) if item.name in MADE} == {"same as the file"}
    found = row(environment, engine, READER)
    assert found.in_use == found.versions
    edit.generate(environment, READER, force=True)
    assert row(environment, engine, READER).state == "differs from the file"
    secrets.file(environment.secrets, READER).unlink()
    assert row(environment, engine, READER).state == "no file to compare"


def test_the_list_sees_that_a_derived_secret_is_stale(make: Make) -> None:
    environment = make()
    engine = swarm(environment)
    edit.generate(environment, "traefik-admin", force=True)
    assert row(environment, engine, "traefik-users").differs is True
    assert row(environment, engine, "traefik-admin").state == "differs from the file"


def test_no_row_holds_a_secret(make: Make) -> None:
    environment = make()
    rows = repr(inventory.rows(environment, swarm(environment)))
    assert not [name for name in MADE if content(environment, name) in rows]
