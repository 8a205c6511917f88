"""What may happen at the same time: stacks of one template, as those of all projects, never need one another."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import TypeVar

from swarm.errors import SwarmstatsError
from swarm.report import Step
from swarm.stacks.targets import PROJECT, Target

PARALLEL_STACKS = 8
Item = TypeVar("Item")


def waves(items: Sequence[Item], target: Callable[[Item], Target]) -> Iterator[tuple[str, list[Item]]]:
    """Title and members of each wave, in the order of the items."""
    for template, members in groupby(items, key=lambda item: target(item).template):
        wave = list(members)
        yield "projects" if template == PROJECT and len(wave) > 1 else target(wave[0]).name, wave


def together(wave: Sequence[Item], act: Callable[[Item, Step], None], step: Step) -> None:
    """Act on each member at once; all are tried, then the errors of those that failed are raised as one."""
    if len(wave) == 1:
        act(wave[0], step)
        return
    done: list[Item] = []

    def one(item: Item) -> SwarmstatsError | None:
        try:
            act(item, step.silent())
        except SwarmstatsError as error:
            return error
        done.append(item)
        step.note(f"{len(done)} of {len(wave)}")
        return None

    with ThreadPoolExecutor(PARALLEL_STACKS) as pool:
        try:
            failed = [error for error in pool.map(one, wave) if error]
        except KeyboardInterrupt:
            step.cancelled.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if failed:
        first, *others = failed
        first.message = "\n".join(dict.fromkeys((first.message, *(error.message for error in others))))
        first.args = (first.message,)
        raise first
