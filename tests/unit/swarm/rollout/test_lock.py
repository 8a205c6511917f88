"""Who has lost the lock changes nothing more; that there is one holder is tested on a real swarm."""

import pytest

from swarm.errors import Locked, LockLost, StackFailed
from swarm.rollout import lock
from swarm.rollout.lock import HeldLock, Timing
from tests.support.fake_managers import Known
from tests.support.waiting import until

QUICK = Timing(renewal_seconds=0.01)


def broken(engine: Known) -> None:
    lock.release(engine)


def test_a_holder_whose_lock_was_broken_may_change_nothing_more() -> None:
    engine = Known()
    with (
        pytest.raises(LockLost, match="No further changes were made"),
        lock.held(engine, "deploy app", 1, print) as hold,
    ):
        hold.require()
        broken(engine)
        hold.require()
    assert hold.ended.is_set()


def test_a_holder_whose_lock_was_taken_over_learns_of_it_and_leaves_the_other_one_its_lock() -> None:
    engine = Known()
    with pytest.raises(LockLost), lock.held(engine, "deploy app", 1, print) as hold:
        broken(engine)
        engine.configs.claim(lock.NAME, {"purpose": "deploy db"})
        hold.require()
    found = lock.read(engine)
    assert found is not None
    assert found.purpose == "deploy db"


def test_the_loss_is_found_while_the_holder_waits_for_something_else() -> None:
    engine = Known()
    lost = pytest.raises(LockLost, match=r"Stopped deploy app\.\nCancelled while waiting for app")
    with lost, lock.held(engine, "deploy app", 1, print, QUICK) as hold:
        broken(engine)
        assert hold.ended.wait(5)
        raise StackFailed("Cancelled while waiting for app.")


def test_a_verb_that_ends_without_its_lock_does_not_end_well() -> None:
    engine = Known()
    with (
        pytest.raises(LockLost, match="restore db had already finished"),
        lock.held(engine, "restore db", 1, print, QUICK) as hold,
    ):
        broken(engine)
        assert hold.ended.wait(5)


def test_managers_that_do_not_answer_have_not_taken_the_lock_away() -> None:
    engine = Known()
    with lock.held(engine, "deploy app", 1, print) as hold:
        engine.managers.before = lambda method, path: (503, {"message": "no leader"}) if method == "GET" else None
        assert hold.stands()
        engine.managers.before = lambda method, path: None
    assert lock.read(engine) is None


def test_a_lock_that_is_broken_at_the_very_end_is_told() -> None:
    said: list[str] = []
    engine = Known()
    with lock.held(engine, "stuck", 1, said.append):
        broken(engine)
    assert said == ["The deploy lock was broken while this ran; check ./run status."]


def test_what_nobody_locked_stands() -> None:
    HeldLock().require()


def test_the_lock_of_another_client_is_not_taken_for_ours() -> None:
    engine = Known()
    other = engine.configs.claim(lock.NAME, {"owner": "she", "host": "elsewhere", "purpose": "deploy db", "token": "t"})
    with pytest.raises(Locked, match="she on elsewhere, deploy db"), lock.held(engine, "deploy app", -1, print):
        raise AssertionError("two hold the lock")
    found = lock.read(engine)
    assert found is not None
    assert found.id == other


def test_the_lock_is_ours_also_where_the_answer_of_the_managers_was_lost() -> None:
    engine = Known(patience=5, pause=0.01)
    engine.managers.lose_answer()
    with lock.held(engine, "deploy app", -1, print) as hold:
        hold.require()
    assert lock.read(engine) is None


def test_a_renewal_prolongs_the_lock() -> None:
    engine = Known()

    def expiry() -> float:
        found = lock.read(engine)
        assert found is not None
        return found.expires.timestamp()

    with lock.held(engine, "deploy app", 1, print, QUICK):
        first = expiry()
        until("a later expiry", lambda: expiry() > first, deadline=10, every=0.01)
