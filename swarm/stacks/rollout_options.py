"""`x-rollout` of a service in a stack file: siblings are updated one at a time, each healthy before the next."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from swarm.errors import StackInvalid
from swarm.settings.validation import Strict

KEY = "x-rollout"


class Rollout(Strict):
    """`siblings` names the group; commands run in the service's own task.

    `last` is asked before any sibling is touched: who answers with 0, as one that leads, is updated after the others.
    `before` runs before the service is updated; if it ends with anything but 0, nothing more is touched.
    """

    siblings: str
    last: list[str] = []
    before: list[str] = []


Services = dict[str, dict[str, Any]]


def split(services: Mapping[str, Mapping[str, Any]], place: str) -> tuple[Services, dict[str, Rollout]]:
    """Services without the key, and what it said: short service name -> Rollout, in the order of the file."""
    bare = {name: {key: item for key, item in (given or {}).items() if key != KEY} for name, given in services.items()}
    said = {name: given[KEY] for name, given in services.items() if given and KEY in given}
    try:
        return bare, {name: Rollout.model_validate(value) for name, value in said.items()}
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StackInvalid(f"{place}/stack.yml.j2: {KEY}: {where or 'value'}: {first['msg']}.") from error
