"""What the docker client refuses of one stack, it refuses among many, in the same words and of the same stack."""

from typing import Any

import pytest

from swarm.errors import StackInvalid
from swarm.host import prerequisites
from swarm.settings import environment
from swarm.settings.environment import Environment
from swarm.shell import Shell
from swarm.stacks import stack, targets
from swarm.stacks.schema import validate
from swarm.stacks.stack import Stack

COUNT = 30
ENV = "{domain: example.test, registry: 'r.test', driver: lab, nodes: [{name: node-1, role: manager}]}"


def service(**keys: Any) -> dict[str, Any]:
    return {"services": {"odd": {"image": "odd:1", **keys}}}


def limits(**keys: Any) -> dict[str, Any]:
    return service(deploy={"resources": {"limits": keys}})


MISTAKES = {
    "an unknown key": service(colour="blue"),
    "an unknown key of the file": {"netwroks": {}},
    "a key that is forbidden": service(mem_limit="1g"),
    "a key that a newer schema has": {"version": "3.0", **service(init=True)},
    "a wrong type": service(command=5),
    "a number that is text": service(deploy={"replicas": "two"}),
    "no image but a list": {"services": {"odd": []}},
    "an empty section": {"volumes": None},
    "a section that is a list": {"networks": ["edge"]},
    "a bad duration": service(stop_grace_period="10"),
    "a bad duration of a health check": service(healthcheck={"test": "true", "interval": "1 minute"}),
    "a bad port": service(ports=["99999:80"]),
    "a port twice": service(ports=[{"target": 80}, {"target": 80}]),
    "a bad byte size": limits(memory="12Q"),
    "a bad name of a service": {"services": {"a b": {"image": "odd:1"}}},
    "no name of a service": {"services": {"": {"image": "odd:1"}}},
    "a bad name of a volume": {"volumes": {"a b": {}}},
    "a bad name of a config": {"configs": {"a/b": {"external": True}}},
    "an external volume with a driver": {"volumes": {"odd": {"external": True, "driver": "local"}}},
    "a bind mount without source": service(volumes=[{"type": "bind", "target": "/odd"}]),
    "a file that is not there": service(env_file="/no/such/file"),
    "a variable that nothing closes": service(hostname="${"),
}

# The client looks at these when it deploys, not before; being among many changes nothing of that.
ALLOWED = {
    "an undefined network": service(networks=["nowhere"]),
    "an undefined volume": service(volumes=["nowhere:/odd"]),
    "an undefined config": service(configs=["nowhere"]),
    "an undefined secret": service(secrets=["nowhere"]),
    "a service of another name that all have": {"services": {"sync": {"image": "odd:1"}}},
    "a network that all have": {"networks": {"edge": {}}},
    "a character beyond 16 bits": service(environment={"NAME": "Ferris 🦀 \\ud83e \u0085 \u007f"}),
    "an old schema": {"version": "3.12", **service(init=True)},
    "a project called like the number of another": service(hostname="0-sync"),
}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment of many projects."""
    folder = tmp_path_factory.mktemp("envs") / "many"
    folder.mkdir()
    lines = "".join(f"  p{number}: {{organisations: [p{number}]}}\n" for number in range(COUNT))
    (folder / "env.yaml").write_text(ENV)
    (folder / "projects.yaml").write_text(f"projects:\n{lines}")
    return environment.load("many", {"SWARMSTATS_ENVS": str(folder.parent)})


@pytest.fixture(scope="module")
def valid(many: Environment) -> list[Stack]:
    return [stack.render(many, target) for target in targets.select(many, "project")]


def with_document(stack: Stack, document: dict[str, Any]) -> Stack:
    """The stack with more in its document."""
    whole = dict(stack.document)
    for section, items in document.items():
        merge = isinstance(items, dict) and isinstance(whole.get(section), dict)
        whole[section] = {**whole[section], **items} if merge else items
    return Stack(stack.target, stack.manifest, whole, (), (), ())


def refusal(given: list[Stack]) -> str:
    try:
        validate(given, prerequisites.client(Shell()), Shell())
    except StackInvalid as error:
        return error.message
    return ""


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_among_many_stacks_and_told_as_of_one(mistake: str, valid: list[Stack]) -> None:
    odd = with_document(valid[17], MISTAKES[mistake])
    alone = refusal([odd])
    assert alone.startswith("stacks/project/stack.yml.j2 (p17): ")
    assert refusal([*valid[:17], odd, *valid[18:]]) == alone


@pytest.mark.parametrize("oddity", ALLOWED)
def test_what_is_taken_of_one_stack_is_taken_among_many(oddity: str, valid: list[Stack]) -> None:
    odd = with_document(valid[17], ALLOWED[oddity])
    assert refusal([odd]) == ""
    assert refusal([*valid[:17], odd, *valid[18:]]) == ""


def test_every_stack_with_a_mistake_is_named(valid: list[Stack]) -> None:
    odd = [with_document(stack, mistake) for stack, mistake in zip(valid, MISTAKES.values(), strict=False)]
    said = refusal([*valid[len(odd) :], *odd]).splitlines()
    assert [line.partition(":")[0] for line in said] == [
        f"stacks/project/stack.yml.j2 (p{number})" for number in range(len(odd))
    ]


def test_every_stack_of_the_platform_is_taken(many: Environment) -> None:
    assert refusal([stack.render(many, target) for target in targets.select(many, "all")]) == ""
