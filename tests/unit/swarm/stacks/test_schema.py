import json
from collections.abc import Mapping
from typing import Any

import pytest

from swarm.errors import StackInvalid
from swarm.shell import Argv, RecordingShell, Result
from swarm.stacks import stack as stacks
from swarm.stacks import targets
from swarm.stacks.schema import merged, validate
from swarm.stacks.stack import Stack
from swarm.stacks.targets import Target
from tests.unit.swarm.conftest import ENV, Make

CLIENT = ("docker",)


class Client(RecordingShell):
    """A docker client that refuses documents with the word `wrong` in them, and names what it was asked."""

    def run(self, argv: Argv, *, stdin: str | None = None, **_: Any) -> Result:
        super().run(argv, stdin=stdin)
        return Result(argv, 1, stderr="\nit is wrong\n") if "wrong" in (stdin or "") else Result(argv, 0)

    @property
    def asked(self) -> list[Mapping[str, Any]]:
        return [json.loads(text or "") for text in self.given]


def many(make: Make, count: int, wrong: tuple[int, ...] = ()) -> list[Stack]:
    lines = "".join(f"  p{number}: {{organisations: [p{number}]}}\n" for number in range(count))
    environment = make(ENV, f"projects:\n{lines}")
    rendered = [stacks.render(environment, target) for target in targets.select(environment, "project")]
    for number in wrong:
        stack = rendered[number]
        rendered[number] = Stack(
            stack.target, stack.manifest, {**stack.document, "volumes": {"wrong": {}}}, stack.configs, (), ()
        )
    return rendered


def test_many_stacks_are_asked_about_in_few_questions_and_none_is_left_out(make: Make) -> None:
    client = Client()
    given = many(make, 60)
    validate(given, CLIENT, client)
    assert len(client.ran) <= 3
    assert sum(len(document["services"]) for document in client.asked) == sum(len(stack.services) for stack in given)


def test_the_stacks_that_are_refused_are_named_each_with_what_was_said_of_it_alone(make: Make) -> None:
    with pytest.raises(StackInvalid) as caught:
        validate(many(make, 60, wrong=(0, 31, 59)), CLIENT, Client())
    assert caught.value.message.splitlines() == [
        f"stacks/project/stack.yml.j2 (p{number}): it is wrong" for number in (0, 31, 59)
    ]


def test_one_stack_is_asked_about_as_it_is(make: Make) -> None:
    client = Client()
    stack = stacks.render(make(), Target("app"))
    validate([stack], CLIENT, client)
    assert client.asked == [stack.document]


def test_nothing_to_validate_asks_nothing() -> None:
    client = Client()
    validate([], CLIENT, client)
    assert not client.ran


def test_merged_stacks_keep_every_object_of_each_under_a_key_of_its_own() -> None:
    whole = merged([{"services": {"a": 1, "0-a": 2}}, {"services": {"a": 3}, "networks": {"1-a": 4}}])
    assert whole == {"services": {"0-a": 1, "0-0-a": 2, "1-a": 3}, "networks": {"1-1-a": 4}}


@pytest.mark.parametrize(
    "document",
    [
        {"services": {}, "netwroks": {}},
        {"services": {}, "version": "3.0"},
        {"services": {}, "networks": None},
        {"services": {}, "volumes": ["data"]},
        {"services": {"": {}}},
        {"services": {1: {}, "1": {}}},
    ],
    ids=str,
)
def test_a_stack_whose_mistake_could_get_lost_is_not_merged(document: dict[str, Any]) -> None:
    assert merged([{"services": {}}, document]) is None
