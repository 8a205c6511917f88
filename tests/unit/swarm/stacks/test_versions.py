import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.errors import StackInvalid
from swarm.settings.secrets import Secret
from swarm.stacks import versions


@given(st.text(), st.text())
def test_a_config_is_named_by_its_content(one: str, other: str) -> None:
    same = versions.config("app", "nginx.conf", one).name == versions.config("app", "nginx.conf", other).name
    assert same == (one == other)


def test_a_secret_has_the_same_name_for_the_same_content_and_its_name_is_not_a_plain_hash(
    tmp_path: Path,
) -> None:
    file = tmp_path / "token.secret"
    name = versions.secret(file, "token", Secret("abc")).name
    assert versions.secret(file, "token", Secret("abc")).name == name
    assert versions.secret(file, "token", Secret("abd")).name != name
    assert "ba7816bf" not in name


def test_guessing_a_secret_from_its_name_costs_a_slow_hash(tmp_path: Path) -> None:
    # The name is public. With n=2**14, r=8 each guess takes tens of milliseconds and 16 MB.
    digest = hashlib.scrypt(b"abc", salt=b"token", n=2**14, r=8, p=1, dklen=16).hex()
    assert versions.secret(tmp_path / "token.secret", "token", Secret("abc")).name == f"token_{digest[:10]}"


def test_names_beyond_the_budget_of_swarm_are_refused() -> None:
    with pytest.raises(StackInvalid, match="Swarm allows 64"):
        versions.config("a" * 40, "b" * 20, "content")


def item(identity: str, key: str) -> dict[str, object]:
    return {"ID": identity, "Spec": {"Name": f"{key}_{identity}", "Labels": {versions.LABEL: key}}}


def test_collection_keeps_what_is_used_now_or_before_and_what_a_release_needs() -> None:
    objects = [item(name, "app_conf") for name in "abcdef"]
    objects.append({"ID": "foreign", "Spec": {"Name": "foreign", "Labels": None}})
    service = {
        "Spec": {"TaskTemplate": {"ContainerSpec": {"Configs": [{"ConfigID": "a"}]}}},
        "PreviousSpec": {"TaskTemplate": {"ContainerSpec": {"Configs": [{"ConfigID": "b"}]}}},
    }
    assert versions.unused(objects, [service], {"app_conf_e", "app_conf_f"}) == ["c", "d"]
