"""Members of the database die while one writer writes: it waits a few seconds, and every acknowledged row stays."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from statistics import median

import pytest

from tests.e2e.support import outage
from tests.e2e.support.members import leader, until_whole, whole
from tests.e2e.support.outage import Machine
from tests.e2e.support.writer import FEW, Writer
from tests.support.waiting import until, wait

SETTLED = 6.0
# What the loss of a node may cost in writes as a median, and its return, seconds. A leader's last sign of life is up to
# loop_wait old: a single time may take that of the whole ttl and what follows.
LOSS, ONCE, RETURN = 20.0, 26.0, 5.0
# When nodes are lost within the leader's rounds.
CHANCE = Random(20150101)
# Members on the only manager, and on a worker; in the short form the worker loses its power and the manager is cut off.
MANAGER, WORKER = "patroni3", "patroni1"


Deed = Callable[[Machine], None]


@dataclass(frozen=True)
class Fault:
    """What happens to a node, what ends it, and for how many seconds it lasts at least."""

    name: str
    begin: Deed
    end: Deed
    hold: float = SETTLED


@dataclass(frozen=True)
class Costs:
    """The longest times without a row when a node is lost and when it is back, seconds."""

    loss: float
    back: float


def rounds(writer: Writer, what: str, count: int, within: float, fault: Callable[[str], None]) -> float:
    """Do something to the leader several times; returns the median of the longest gaps, seconds."""
    gaps = [_round(writer, f"{what} {number + 1}", fault) for number in range(count)]
    sys.stderr.write(f"\n{what}: median gap {median(gaps):.1f} s of {sorted(round(gap, 1) for gap in gaps)}")
    assert median(gaps) < within, gaps
    return median(gaps)


def _round(writer: Writer, what: str, fault: Callable[[str], None]) -> float:
    until_whole(writer.platform)
    led, began = leader(writer.platform), time.time()
    until("rows", lambda: writer.flows(began - 1))
    fault(led)
    until("rows again", lambda: _again(writer, began))
    until_whole(writer.platform)
    seen, lost, leaders = writer.seen(), writer.missing(), writer.leaders(began)
    gap, missed = seen.gap(began), seen.missed(began)
    sys.stderr.write(
        f"\n{what}: {led} to {leader(writer.platform)}, gap {gap:.1f} s, {missed} queries missed, "
        f"writes taken by {leaders}"
    )
    assert lost == [], f"lost {lost}; around it {[a for a in seen.acks if abs(a.moment - lost[0].moment) < 1]}"
    assert len(set(leaders)) == len(leaders), f"two members took writes at once: {leaders}"
    assert missed <= FEW, seen.misses[-missed:]
    return gap


def _again(writer: Writer, began: float, hold: float = SETTLED) -> bool:
    """Rows flow, and have for three seconds: a fault may take a moment to be felt."""
    return time.time() - began > hold and writer.flows(began + 3)


@pytest.mark.timeout(1200, func_only=True)
def test_after_the_leaders_container_is_killed_writes_flow_within_ten_seconds_and_no_row_is_lost(
    writer: Writer, long: bool
) -> None:
    def kill(led: str) -> None:
        client, identity = writer.platform.container(f"db_{led}")
        client.containers.get(identity).kill("SIGKILL")

    rounds(writer, "container killed", 5 if long else 1, 10, kill)


@pytest.mark.timeout(2400, func_only=True)
def test_after_the_leaders_node_loses_its_power_writes_flow_within_twenty_seconds_and_its_return_costs_little(
    writer: Writer, long: bool
) -> None:
    for member in (WORKER, MANAGER) if long else (WORKER,):
        fault = Fault("lost its power", Machine.lose_power, Machine.get_power)
        outages(writer, member, fault, 5 if long else 1)


@pytest.mark.timeout(2400, func_only=True)
def test_a_leader_whose_node_is_cut_off_takes_no_writes_and_another_does_within_twenty_seconds(
    writer: Writer, long: bool
) -> None:
    for member in (MANAGER, WORKER) if long else (MANAGER,):
        # Longer than it takes all nodes to give one another up.
        fault = Fault("cut off", Machine.cut_off, Machine.join_again, hold=40.0)
        outages(writer, member, fault, 5 if long else 1)


def test_the_writer_writes_fifty_rows_a_second(writer: Writer) -> None:
    until_whole(writer.platform)
    began = time.time()
    wait(5)
    rate = sum(1 for ack in writer.seen().acks if began < ack.moment <= began + 5) / 5
    sys.stderr.write(f"\n{rate:.0f} rows a second")
    assert rate >= 50


def outages(writer: Writer, member: str, fault: Fault, count: int) -> None:
    """Let the node of a leading member be lost and return several times; judges the medians of both gaps."""
    node = outage.of_member(writer.platform, member)
    name = f"{node.name} ({'manager' if node.manages else 'worker'}) {fault.name}"
    costs = [_outage(writer, f"{name} {number + 1}", member, node, fault) for number in range(count)]
    loss, back = median(cost.loss for cost in costs), median(cost.back for cost in costs)
    sys.stderr.write(f"\n{name}: median gap {loss:.1f} s, {back:.1f} s when it is back")
    assert loss < (LOSS if count > 1 else ONCE), costs
    assert back < RETURN, costs


def _outage(writer: Writer, what: str, member: str, node: Machine, fault: Fault) -> Costs:
    _let_lead(writer, member)
    with outage.repaired(node):
        wait(CHANCE.uniform(0, 10))
        began = time.time()
        fault.begin(node)
        until("rows again", lambda: _again(writer, began, fault.hold))
        back = time.time()
        loss, missed = writer.seen().gap(began), writer.seen().missed(began)
        fault.end(node)
        until_whole(writer.platform)
        until("a healthy database", lambda: writer.platform.healthy("db"))
        until("rows", lambda: writer.flows(back))
    seen, leaders, taken = writer.seen(), writer.leaders(began), writer.took(member, began + 1, back)
    cost = Costs(loss, seen.gap(back))
    whole_after, leads = time.time() - back, leader(writer.platform)
    sys.stderr.write(
        f"\n{what}: {member} to {leads}, gap {cost.loss:.1f} s, {missed} missed; back after "
        f"{back - began:.0f} s: gap {cost.back:.1f} s, {seen.missed(back)} missed; whole {whole_after:.0f} s later; "
        f"writes by {leaders}"
    )
    lost = writer.missing()
    assert lost == [], f"lost {lost}; around it {[a for a in seen.acks if abs(a.moment - lost[0].moment) < 1]}"
    assert taken == [], f"{member} took writes when it was lost"
    assert len(set(leaders)) == len(leaders), f"two members took writes at once: {leaders}"
    assert missed <= FEW, seen.misses
    assert seen.missed(back) <= FEW, seen.misses
    return cost


def _let_lead(writer: Writer, member: str) -> None:
    """A whole cluster that a certain member leads, and rows."""
    platform = writer.platform
    until_whole(platform)
    if leader(platform) != member:
        platform.run("db.switchover", "--to", member)
    until(f"a healthy cluster led by {member}", lambda: whole(platform) and leader(platform) == member, every=0.5)
    began = time.time()
    until("rows", lambda: writer.flows(began))
