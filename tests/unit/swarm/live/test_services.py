import pytest

from swarm.errors import UnknownName
from swarm.live import services
from swarm.live.services import Service
from swarm.stacks.selection import Selection
from tests.unit.swarm.conftest import Make


def service(name: str, **labels: str) -> Service:
    stack = name.partition("_")[0]
    return Service("id", name, stack, "replicated", "image", 1, "", "", labels, ())


RUNNING = [service("app_nginx"), service("apache_sync"), service("rust-lang_sync"), service("gone_sync")]


def names(make: Make, label: str = "", projects: str = "") -> list[str]:
    return [item.name for item in services.chosen(make(), RUNNING, Selection.parse(label), projects)]


def test_running_services_are_selected_as_rendered_ones_are(make: Make) -> None:
    assert names(make) == [item.name for item in RUNNING]
    assert names(make, "app=nginx") == ["app_nginx"]
    assert names(make, "stack=project") == ["apache_sync", "rust-lang_sync"]
    assert names(make, "foundation=Rust Foundation") == ["rust-lang_sync"]
    assert names(make, projects="!apache") == ["rust-lang_sync"]
    assert names(make, "project!=apache", "*") == ["rust-lang_sync"]


def test_nothing_meant_is_an_error_only_when_something_was_asked_for(make: Make) -> None:
    with pytest.raises(UnknownName, match="Did you mean app=sync"):
        names(make, "app=snyc")
    with pytest.raises(UnknownName, match=r'No deployed project "apache"'):
        services.chosen(make(), [service("app_nginx")], projects="apache")
    assert services.chosen(make(), []) == ()
