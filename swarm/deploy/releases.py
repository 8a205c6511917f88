"""The ledger: each deploy of a stack is a release, kept in the swarm itself as a config, compressed and split.

The labels of a release's first part say what it is; the parts together hold what ran: the rendered document, the
specifications with image digests, the networks, and the names of the config and secret versions.
"""

import hashlib
import json
import re
import socket
import zlib
from base64 import b64decode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from swarm.engine import timestamps
from swarm.engine.client import Engine
from swarm.engine.wire import Spec
from swarm.errors import ReleaseGone, UnknownName
from swarm.host import user
from swarm.stacks.conversion import DesiredState
from swarm.stacks.rollout_options import Rollout

LABEL = "swarmstats.release"
PART = "swarmstats.release-part"
# Old managers take 500 kB a config, newer ones 1,000.
CONFIG_BYTES_LIMIT = 400_000
KEPT_RELEASES = 10
STACK_LENGTH_LIMIT = 32
SECTIONS = ("services", "networks", "volumes", "configs", "secrets")


# A release that was begun and neither serves nor was taken back; the label goes when one of both is so.
OPEN = f"{LABEL}-open"
# The note of a rollback release, followed by the number of its target.
BACK = "rollback to release "


class State(StrEnum):
    """The state of a release."""

    PENDING = "pending"
    DEPLOYED = "deployed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    CLEANED = "cleaned"


@dataclass(frozen=True)
class Release:
    """What the ledger's labels say of one release."""

    id: str
    stack: str
    number: int
    state: State
    deploy: str
    owner: str
    host: str
    commit: str
    note: str
    parts: int
    open: bool
    when: datetime
    cleaned_at: datetime | None = None
    cleaned_by: str = ""

    @property
    def runs(self) -> bool:
        """Whether it was deployed and not cleaned, or may run by half: what a stack rolls back from."""
        return self.open or self.state is State.DEPLOYED

    @property
    def complete(self) -> bool:
        """Whether it was healthy once, so that its stack can roll back to it; a clean does not change that."""
        return self.state in (State.DEPLOYED, State.CLEANED)

    @property
    def back(self) -> int | None:
        """The number of the release that this one went back to, if it did."""
        found = re.match(rf"{BACK}(\d+)", self.note)
        return int(found[1]) if found else None

    def __str__(self) -> str:
        """The release in a few words."""
        return f"release {self.number} of {self.stack}"


@dataclass(frozen=True)
class Content:
    """What a release holds."""

    template: str
    document: Mapping[str, Any]
    services: Mapping[str, Spec]
    networks: Mapping[str, Spec]
    configs: tuple[str, ...]
    secrets: tuple[str, ...]
    images: Mapping[str, str]
    rollout: Mapping[str, Any]
    timeout: int


def history(engine: Engine, stack: str | None = None) -> list[Release]:
    """Releases of one stack or of all, newest first."""
    label = f"{LABEL}={stack}" if stack else LABEL
    return sorted((_release(engine, item) for item in engine.configs.list(label)), key=_age, reverse=True)


def newest(known: Iterable[Release]) -> dict[str, Release]:
    """The newest complete release of each stack in a history, newest first; it is cleaned where the stack is."""
    found: dict[str, Release] = {}
    for release in known:
        if release.complete:
            found.setdefault(release.stack, release)
    return found


def latest(engine: Engine) -> dict[str, Release]:
    """The newest deployed release of each stack, but for stacks that were cleaned since."""
    found = newest(history(engine))
    return {stack: release for stack, release in found.items() if release.state is State.DEPLOYED}


def unfinished(engine: Engine) -> dict[str, Release]:
    """Releases that a client left in the middle, or failed and left as they are, by stack; asked for cheaply."""
    found = (_release(engine, item) for item in engine.configs.list(OPEN))
    return {release.stack: release for release in sorted(found, key=_age)}


def number(word: str) -> int:
    """A release's number as a user writes it; raises UnknownName."""
    if not word.isdecimal():
        raise UnknownName("release number", word, ("1", "2", "..."))
    return int(word)


def find(engine: Engine, stack: str, number: int) -> Release:
    """One release by its number; raises UnknownName."""
    return among(history(engine, stack), stack, number)


def among(known: Iterable[Release], stack: str, number: int) -> Release:
    """One release of a stack by its number; raises UnknownName."""
    mine = {release.number: release for release in known if release.stack == stack}
    if number not in mine:
        raise UnknownName("release", f"{stack} {number}", (f"{stack} {one}" for one in mine))
    return mine[number]


def begin(engine: Engine, stack: str, content: Content, *, deploy: str, commit: str, note: str = "") -> Release:
    """Write a release down as pending, before anything is changed."""
    number = 1 + _highest(engine, stack)
    data = zlib.compress(json.dumps(_told(content), sort_keys=True).encode(), 9)
    pieces = [data[start : start + CONFIG_BYTES_LIMIT] for start in range(0, len(data), CONFIG_BYTES_LIMIT)]
    for place, piece in enumerate(pieces[1:], 1):
        engine.configs.create(_name(stack, number, place), piece, {PART: stack, f"{PART}-number": str(number)})
    labels = {
        LABEL: stack,
        f"{LABEL}-number": str(number),
        f"{LABEL}-state": State.PENDING,
        f"{LABEL}-deploy": deploy,
        f"{LABEL}-owner": user.name(),
        f"{LABEL}-host": socket.gethostname(),
        f"{LABEL}-commit": commit,
        f"{LABEL}-note": note,
        f"{LABEL}-parts": str(len(pieces)),
        OPEN: "yes",
    }
    engine.configs.create(_name(stack, number, 0), pieces[0], labels)
    return find(engine, stack, number)


def _highest(engine: Engine, stack: str) -> int:
    """The highest number in use; a client that was killed may have left parts without a head."""
    heads, parts = engine.configs.list(f"{LABEL}={stack}"), engine.configs.list(f"{PART}={stack}")
    labels = [item["Spec"]["Labels"] for item in (*heads, *parts)]
    return max((int(found.get(f"{LABEL}-number") or found[f"{PART}-number"]) for found in labels), default=0)


def finish(engine: Engine, release: Release, state: State, note: str = "", *, left: bool = False) -> None:
    """Record the result of a release; one that is `left` stays open, for the next deploy to complete."""
    labels = {f"{LABEL}-state": str(state), **({f"{LABEL}-note": note} if note else {})}
    engine.configs.label(release.id, labels, () if left else (OPEN,))


def mark_cleaned(engine: Engine, stack: str) -> None:
    """Mark the release that a stack runs as cleaned, with time and user; one left unfinished is closed.

    The release keeps what it holds, so that a rollback can bring the stack back.
    """
    known = history(engine, stack)
    for release in known:
        if release.state is State.PENDING:
            finish(engine, release, State.INTERRUPTED, "cleaned before it was complete")
        elif release.open:
            finish(engine, release, release.state)
    running = newest(known).get(stack)
    if running is None or running.state is State.CLEANED:
        return
    labels = {
        f"{LABEL}-state": str(State.CLEANED),
        f"{LABEL}-cleaned-at": engine.now().isoformat(),
        f"{LABEL}-cleaned-by": f"{user.name()}@{socket.gethostname()}",
    }
    engine.configs.label(running.id, labels)


def content(engine: Engine, release: Release) -> Content:
    """What a release holds; raises ReleaseGone when a part of it is not there any more."""
    names = [_name(release.stack, release.number, place) for place in range(release.parts)]
    return _content(release, {name: item for name in names if (item := engine.configs.get(name))})


def _content(release: Release, items: Mapping[str, Spec]) -> Content:
    pieces = []
    for place in range(release.parts):
        item = items.get(_name(release.stack, release.number, place))
        if item is None:
            raise ReleaseGone(f"Part {place + 1} of {release} is no longer in the swarm.", hint="./run releases")
        pieces.append(b64decode(item["Spec"]["Data"]))
    told = json.loads(zlib.decompress(b"".join(pieces)))
    return Content(**{**told, "configs": tuple(told["configs"]), "secrets": tuple(told["secrets"])})


def desired_state(stack: str, held: Content) -> DesiredState:
    """A release's content as what a stack is to be."""
    rollout = {name: Rollout.model_validate(said) for name, said in held.rollout.items()}
    return DesiredState(stack, held.services, held.networks, rollout)


def completed(part: Content, before: Content) -> Content:
    """A release of some services of a stack, with all that it leaves alone as the release before has it."""
    services, networks = {**before.services, **part.services}, {**before.networks, **part.networks}
    held = DesiredState("", services, networks)
    document = {**before.document, **part.document}
    for section in SECTIONS:
        if both := {**(before.document.get(section) or {}), **(part.document.get(section) or {})}:
            document[section] = both
    return replace(
        part,
        document=document,
        services=services,
        networks=networks,
        configs=tuple(sorted(held.configs)),
        secrets=tuple(sorted(held.secrets)),
        images={**before.images, **part.images},
        rollout={**before.rollout, **part.rollout},
    )


def previous(known: Sequence[Release], current: Release | None) -> Release | None:
    """The newest complete release before `current` (or the newest of all) in a history of one stack, newest first.

    A release that brought a cleaned one back is the same as that one, so the release before both is meant.
    """
    same = _brought_back(known, current)
    for release in known:
        if release.complete and release.number not in same and (not current or release.number < current.number):
            return release
    return None


def running_before(known: Sequence[Release], current: Release) -> Release | None:
    """What a stack ran before `current` was begun; nothing when it was cleaned then."""
    before = previous(known, current)
    return before if before and before.state is State.DEPLOYED else None


def _brought_back(known: Iterable[Release], current: Release | None) -> set[int]:
    """The numbers of the cleaned releases whose content `current` has, since it rolled back to them."""
    numbered = {release.number: release for release in known}
    found: set[int] = set()
    while current and current.back:
        goal = numbered.get(current.back)
        if goal is None or goal.state is not State.CLEANED:
            break
        found.add(goal.number)
        current = goal
    return found


def forget(engine: Engine, keep: int = KEPT_RELEASES, gone: Iterable[str] = ()) -> set[str]:
    """Drop all but the newest `keep` complete releases and `keep` others of each stack; returns the versions needed.

    A cleaned release counts as complete. Of the stacks in `gone` nothing is kept. Parts without a head are those of
    a client that was killed.
    """
    heads, parts = engine.configs.list(LABEL), engine.configs.list(PART)
    items = {str(item["Spec"]["Name"]): item for item in (*heads, *parts)}
    known = sorted((_release(engine, item) for item in heads), key=_age, reverse=True)
    kept = _kept([release for release in known if release.stack not in gone], keep)
    needed: set[str] = set()
    for release in kept:
        if release.open or release.complete:
            held = _content(release, items)
            needed |= {*held.configs, *held.secrets}
    names = {_name(release.stack, release.number, place) for release in kept for place in range(release.parts)}
    for name, item in items.items():
        if name not in names:
            engine.configs.discard(str(item["ID"]))
    return needed


def _kept(known: Iterable[Release], keep: int) -> list[Release]:
    """`known` is newest first."""
    counts: Counter[tuple[str, bool]] = Counter()
    found = []
    for release in known:
        kind = (release.stack, release.complete)
        counts[kind] += 1
        if release.open or counts[kind] <= keep:
            found.append(release)
    return found


def _told(held: Content) -> dict[str, Any]:
    return {key: getattr(held, key) for key in Content.__dataclass_fields__}


def _name(stack: str, number: int, part: int) -> str:
    """`swarmstats.release.app.8`, for long stack names with a hash; Swarm takes 64 characters."""
    if len(stack) > STACK_LENGTH_LIMIT:
        stack = f"{stack[: STACK_LENGTH_LIMIT - 9]}.{hashlib.sha256(stack.encode()).hexdigest()[:8]}"
    return f"{LABEL}.{stack}.{number}{f'.{part}' if part else ''}"


def _age(release: Release) -> tuple[datetime, int]:
    return release.when, release.number


def _release(engine: Engine, item: Spec) -> Release:
    labels = item["Spec"]["Labels"]
    cleaned_at = labels.get(f"{LABEL}-cleaned-at")
    return Release(
        id=str(item["ID"]),
        stack=labels[LABEL],
        number=int(labels[f"{LABEL}-number"]),
        state=State(labels[f"{LABEL}-state"]),
        deploy=labels[f"{LABEL}-deploy"],
        owner=labels[f"{LABEL}-owner"],
        host=labels[f"{LABEL}-host"],
        commit=labels[f"{LABEL}-commit"],
        note=labels[f"{LABEL}-note"],
        parts=int(labels[f"{LABEL}-parts"]),
        open=OPEN in labels,
        when=timestamps.parse(item["CreatedAt"]),
        cleaned_at=datetime.fromisoformat(cleaned_at) if cleaned_at else None,
        cleaned_by=labels.get(f"{LABEL}-cleaned-by", ""),
    )
