"""One change of stacks at a time: a lock kept in the swarm, with owner, host, since and expiry.

The lock is a Swarm config: creating a name that exists is refused by the managers, so there is one holder.
While it is held it is renewed; one that was not renewed for `LIFETIME` is dead and taken over. Only the
managers' clock is asked, so clients may differ.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from threading import Event, Thread

from swarm import owner
from swarm.engine import REFUSALS, Engine
from swarm.errors import Locked

NAME = "swarmstats.lock"
LIFETIME = timedelta(seconds=30)
RENEWAL = 8.0
POLL = 0.5


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


def read(engine: Engine) -> Lock | None:
    """The lock as it stands, or None."""
    found = engine.config(NAME)
    if found is None:
        return None
    labels = found["Spec"].get("Labels") or {}
    expires = engine.moment(found["UpdatedAt"]) + LIFETIME
    return Lock(
        id=str(found["ID"]),
        owner=labels.get("owner", "?"),
        host=labels.get("host", "?"),
        purpose=labels.get("purpose", "?"),
        since=engine.moment(found["CreatedAt"]),
        expires=expires,
        expired=engine.now() > expires,
        token=labels.get("token", ""),
    )


def release(engine: Engine, *, dry: bool = False) -> Lock | None:
    """Take the lock away from whoever holds it; returns what was taken, or with `dry` would be."""
    lock = read(engine)
    if lock and not dry:
        engine.discard("configs", lock.id)
    return lock


@contextmanager
def held(engine: Engine, purpose: str, timeout: float, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock for a block; waits up to `timeout` seconds for another holder, then raises Locked."""
    identity = _acquire(engine, purpose, timeout, say)
    over = Event()
    renewing = Thread(target=_renew, args=(engine.again(), identity, over), daemon=True)
    renewing.start()
    try:
        yield
    finally:
        over.set()
        renewing.join()
        if not engine.discard("configs", identity):
            say("The lock was broken by somebody while this ran: look at ./run status.")


def _acquire(engine: Engine, purpose: str, timeout: float, say: Callable[[str], None]) -> str:
    labels = {"owner": owner.name(), "host": socket.gethostname(), "purpose": purpose, "token": token_hex(8)}
    deadline = time.monotonic() + timeout
    told = ""
    while True:
        if identity := engine.claim_config(NAME, labels):
            return identity
        lock = read(engine)
        if lock and lock.token == labels["token"]:
            # The manager went away after it had taken us in, and the question was repeated.
            return lock.id
        if lock and lock.expired:
            say(f"The lock of {lock} expired: its holder is gone.")
            engine.discard("configs", lock.id)
        elif lock:
            if time.monotonic() > deadline:
                raise Locked(
                    f"Another change is under way: {lock}.",
                    hint="Wait for it, or give a longer --lock-timeout; ./run lock.break takes the lock away.",
                )
            if lock.id != told:
                say(f"Waiting for another change: {lock}.")
                told = lock.id
            time.sleep(POLL)


def _renew(engine: Engine, identity: str, over: Event) -> None:
    """Keep the lock alive; a renewal that fails is tried again, and a lock that is gone stays gone."""
    while not over.wait(RENEWAL):
        try:
            engine.touch_config(identity)
        except REFUSALS:
            continue
