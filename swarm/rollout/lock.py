"""One change of stacks at a time: a lock kept in the swarm, with owner, host, since and expiry.

The lock is a Swarm config: creating a name that exists is refused by the managers, so there is one holder.
The holder renews it; a lock that was not renewed for `LIFETIME` has expired and may be taken over. Only the
managers' clock counts, so clients' clocks may differ. A client that has lost its lock must not make further changes.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_hex
from threading import Event, Thread

from swarm.engine import timestamps
from swarm.engine.client import Engine
from swarm.engine.refusals import REFUSALS
from swarm.errors import EngineUnavailable, Locked, LockLost, SwarmstatsError
from swarm.host import user

NAME = "swarmstats.lock"
LIFETIME = timedelta(seconds=30)
LOST = "The deploy lock was lost, and another client may change stacks now"
HINT = "./run lock.status shows who holds the lock; ./run status shows what runs."


@dataclass(frozen=True)
class Timing:
    """How often a held lock is renewed, and how often a lock of another client is polled, seconds."""

    renewal_seconds: float = 8.0
    poll_seconds: float = 0.5


@dataclass(frozen=True)
class Lock:
    """Who changes stacks right now."""

    id: str
    owner: str
    host: str
    purpose: str
    since: datetime
    expires: datetime
    expired: bool
    token: str = ""

    def __str__(self) -> str:
        """The lock in one line."""
        return f"{self.owner} on {self.host}, {self.purpose}, since {self.since:%Y-%m-%d %H:%M:%S} UTC"


@dataclass
class HeldLock:
    """The lock in the hands of its holder; `ended` is set once it is lost. A lock without an engine is always valid."""

    engine: Engine | None = None
    id: str = ""
    ended: Event = field(default_factory=Event)
    lost: bool = False

    def lose(self) -> None:
        """Know that the lock is gone."""
        self.lost = True
        self.ended.set()

    def stands(self) -> bool:
        """Whether the lock is held still, as the managers say; who does not answer has not said that it is gone."""
        if self.engine and not self.lost:
            with suppress(*REFUSALS):
                if not self.engine.configs.exists(self.id):
                    self.lose()
        return not self.lost

    def require(self) -> None:
        """Raise LockLost before something is changed without the lock."""
        if not self.stands():
            raise LockLost(f"{LOST}. No further changes were made.", hint=HINT)


def read(engine: Engine) -> Lock | None:
    """The lock as it stands, or None."""
    found = engine.configs.get(NAME)
    if found is None:
        return None
    labels = found["Spec"].get("Labels") or {}
    expires = timestamps.parse(found["UpdatedAt"]) + LIFETIME
    return Lock(
        id=str(found["ID"]),
        owner=labels.get("owner", "?"),
        host=labels.get("host", "?"),
        purpose=labels.get("purpose", "?"),
        since=timestamps.parse(found["CreatedAt"]),
        expires=expires,
        expired=engine.now() > expires,
        token=labels.get("token", ""),
    )


def release(engine: Engine, *, dry: bool = False) -> Lock | None:
    """Break the lock; returns the lock that was broken, or with `dry` would be."""
    lock = read(engine)
    if lock and not dry:
        engine.configs.discard(lock.id)
    return lock


@contextmanager
def held(
    engine: Engine, purpose: str, timeout: float, say: Callable[[str], None], timing: Timing = Timing()
) -> Iterator[HeldLock]:
    """Hold the lock for a block; waits up to `timeout` seconds for another holder, then raises Locked.

    Raises LockLost where it was lost before the block ended, whatever became of the block.
    """
    identity = _acquire(engine, purpose, timeout, say, timing.poll_seconds)
    hold, over = HeldLock(engine, identity), Event()
    renewing = Thread(
        target=_renew, args=(engine.with_own_connection(), hold, over, timing.renewal_seconds), daemon=True
    )
    renewing.start()
    try:
        yield hold
        if hold.lost:
            raise LockLost(f"The deploy lock was lost, but {purpose} had already finished.", hint=HINT)
    except LockLost:
        raise
    except SwarmstatsError as error:
        if hold.lost:
            raise LockLost(f"{LOST}. Stopped {purpose}.\n{error.message}", hint=HINT) from error
        raise
    finally:
        over.set()
        renewing.join()
        if not engine.configs.discard(identity) and not hold.lost:
            say("The deploy lock was broken while this ran; check ./run status.")


def _acquire(engine: Engine, purpose: str, timeout: float, say: Callable[[str], None], poll: float) -> str:
    labels = {"owner": user.name(), "host": socket.gethostname(), "purpose": purpose, "token": token_hex(8)}
    deadline = time.monotonic() + timeout
    told = ""
    while True:
        if identity := engine.configs.claim(NAME, labels):
            return identity
        lock = read(engine)
        if lock and lock.token == labels["token"]:
            # The manager went away after it had taken us in, and the question was repeated.
            return lock.id
        if lock and lock.expired:
            say(f"Took over the expired deploy lock of {lock}.")
            engine.configs.discard(lock.id)
        elif lock:
            if time.monotonic() > deadline:
                raise Locked(
                    f"The deploy lock is held by {lock}.",
                    hint="Wait, or set a longer --lock-timeout; ./run lock.break breaks the lock of a stuck client.",
                )
            if lock.id != told:
                say(f"Waiting for the deploy lock held by {lock}.")
                told = lock.id
            time.sleep(poll)


def _renew(engine: Engine, hold: HeldLock, over: Event, pause: float) -> None:
    """Keep the lock alive; a renewal that fails is tried again, and of a lock that is gone its holder learns."""
    while not over.wait(pause):
        with suppress(EngineUnavailable, *REFUSALS):
            if not engine.configs.touch(hold.id):
                hold.lose()
                return
