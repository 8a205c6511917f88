from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from swarm.errors import SelectionInvalid, UnknownName
from swarm.stacks import stack, targets
from swarm.stacks.selection import EVERYTHING, Selection, Subject, Term
from swarm.stacks.stack import Stack
from swarm.stacks.targets import Target
from tests.unit.swarm.conftest import Make

LABELS = {"swarmstats.app": "sync", "swarmstats.tier": "data", "traefik.enable": True}


@pytest.fixture
def rust(make: Make) -> Target:
    return Target("project", make().projects.get("rust-lang"))


def rendered(make: Make) -> list[Stack]:
    environment = make()
    return [stack.render(environment, target) for target in targets.select(environment, "all")]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", True),
        ("project=rust-lang", True),
        ("project=rust-lang,app=sync", True),
        (" project = rust-lang , app = sync ", True),
        ("project=rust-lang,app=grafana", False),
        ("project=apache", False),
        ("project!=apache", True),
        ("app!=sync", False),
        ("stack=project", True),
        ("stack=rust-lang", True),
        ("stack!=project", False),
        ("foundation=Rust Foundation", True),
        ("tier=data", True),
        ("swarmstats.tier=data", True),
        ("traefik.enable=true", True),
        ("no.such.label=x", False),
        ("no.such.label!=x", True),
    ],
)
def test_a_selection_means_a_service_by_what_it_is_and_how_it_is_labelled(rust: Target, text: str, meant: bool) -> None:
    assert Selection.parse(text).matches(LABELS, rust, "sync") is meant


def test_a_service_without_the_label_is_called_by_its_short_name() -> None:
    assert Selection.parse("app=traefik").matches({}, Target("admin"), "traefik")
    assert not Selection.parse("app=ingest2").matches({"swarmstats.app": "ingest"}, Target("archive"), "ingest2")


@pytest.mark.parametrize("text", ["project", "=x", "project=", ",", "a=b,", "app==sync", "!=x", "app=sync,,stack=db"])
def test_what_is_no_key_and_value_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SelectionInvalid) as caught:
        Selection.parse(text)
    assert "-l project=rust-lang,app=sync" in caught.value.hint


WORD = st.text(st.characters(codec="ascii", exclude_characters=",=!", categories=["L", "N", "P", "S"]), min_size=1)


@given(st.lists(st.builds(Term, WORD, WORD, st.booleans()), min_size=1))
def test_a_selection_is_read_back_from_its_text(terms: list[Term]) -> None:
    selection = Selection(tuple(terms))
    assert Selection.parse(str(selection)) == selection


def test_a_value_that_is_not_there_gives_the_nearest(rust: Target) -> None:
    error = Selection.parse("project=rust-lang,app=snyc").nothing([Subject(LABELS, rust, "sync")])
    assert 'No label "app=snyc". Did you mean app=sync?' in str(error)
    assert error.exit_code == 64


def test_a_key_that_is_not_there_gives_the_nearest(rust: Target) -> None:
    error = Selection.parse("projct=rust-lang").nothing([Subject(LABELS, rust, "sync")])
    assert 'No label "projct". Did you mean project?' in str(error)
    assert "tier" in error.hint


def test_terms_that_hold_only_apart_name_the_services_there_are(rust: Target) -> None:
    there = [Subject(LABELS, rust, "sync"), Subject({}, Target("app"), "nginx")]
    error = Selection.parse("project=rust-lang,app=nginx").nothing(there)
    assert str(error) == 'No service with "project=rust-lang,app=nginx".'
    assert error.hint == "Services: app_nginx, rust-lang_sync."


def test_every_rendered_service_can_be_selected_by_its_short_name_or_its_own_label(make: Make) -> None:
    labels = {
        f"{stack.name}_{name}": service["deploy"]["labels"]["swarmstats.app"]
        for stack in rendered(make)
        for name, service in stack.services.items()
    }
    assert labels["app_nginx"] == "nginx"
    assert labels["archive_ingest"] == "ingest"
    assert all(labels.values())


def test_a_narrowed_stack_holds_what_its_services_use_and_nothing_else(make: Make) -> None:
    whole = stack.render(make(), Target("admin"))
    part = stack.narrow(whole, Selection.parse("app=portal"))
    assert part is not None
    assert (part.partial, whole.partial) == (True, False)
    assert list(part.services) == ["portal"]
    assert part.services["portal"] == whole.services["portal"]
    assert [item.key for item in part.secrets] == list(part.document["secrets"]) == ["ro-user-password"]
    assert [item.key for item in part.configs] == list(part.document["configs"])
    assert {item.key for item in part.configs} < {item.key for item in whole.configs}
    assert len(part.images) == 1
    assert part.images[0].reference == part.services["portal"]["image"]
    again: dict[str, Any] = yaml.safe_load(part.text())
    assert list(again["services"]) == ["portal"]


def test_a_stack_of_which_nothing_is_meant_is_none_and_without_selection_it_is_whole(make: Make) -> None:
    whole = stack.render(make(), Target("app"))
    assert stack.narrow(whole, Selection.parse("project=apache")) is None
    assert stack.narrow(whole, EVERYTHING) is whole


def test_a_stack_of_which_all_is_meant_is_partial_still(make: Make) -> None:
    part = stack.narrow(stack.render(make(), Target("app")), Selection.parse("stack=app"))
    assert part is not None
    assert part.partial


def test_a_selection_leaves_the_parts_of_stacks_that_it_means(make: Make) -> None:
    parts = stack.chosen(rendered(make), Selection.parse("app=sync,project!=apache"))
    assert [part.name for part in parts] == ["rust-lang"]


def test_a_selection_that_means_nothing_anywhere_is_an_error(make: Make) -> None:
    with pytest.raises(UnknownName, match="Did you mean app=nginx"):
        stack.chosen(rendered(make), Selection.parse("app=ngnix"))


def test_labels_with_dollars_are_compared_as_they_were_written(make: Make) -> None:
    whole = stack.render(make(), Target("app"))
    labels = whole.services["nginx"]["deploy"]["labels"]
    assert isinstance(labels, dict)
    labels["swarmstats.price"] = "5$$"
    assert stack.narrow(whole, Selection.parse("price=5$"))
