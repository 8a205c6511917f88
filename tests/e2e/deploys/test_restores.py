"""One server comes back from its backups, also when what restores it is killed: with --long, for it takes minutes."""

import os
import signal
import sys
from collections.abc import Callable
from random import Random
from typing import Any

import docker.errors
import pytest

from swarm.containers import jobs
from swarm.live import services
from swarm.nodes import manager
from tests.e2e.conftest import Platform
from tests.e2e.deploys.test_lock import begin
from tests.e2e.platform.test_backups import told
from tests.e2e.support.checkout import leftovers
from tests.support.waiting import until, wait

SEED = 20150101
DATABASE = "apache"
CHECKSUM = "select md5(string_agg(t::text, ',' order by t::text)) from precious t"
JOB = f"{jobs.PREFIX}restore"
KILLS = 5


@pytest.fixture(scope="module")
def backed(platform: Platform, long: bool) -> Platform:
    if not long:
        pytest.skip("each restore stops the database for a minute: --long")
    until("a backup", lambda: told(platform)["cluster"], every=2)
    return platform


def dropped(platform: Platform) -> tuple[str, str]:
    """A table that was dropped by mistake: (the moment before, its checksum)."""
    platform.sql(DATABASE, "drop table if exists precious")
    platform.sql(DATABASE, "create table precious as select i, md5(i::text) as word from generate_series(1, 5000) i")
    checksum, moment = platform.sql(DATABASE, CHECKSUM), platform.sql(DATABASE, "select clock_timestamp()")
    later = f"select clock_timestamp() > '{moment}'::timestamptz + '1s'"
    until("the next second", lambda: platform.sql(DATABASE, later) == "t")
    platform.sql(DATABASE, "drop table precious")
    return moment, checksum


def job(platform: Platform) -> Any:
    """The running container of the job that restores, on whichever node."""
    for node in platform.environment.nodes:
        for item in manager.engine(platform.environment, node)._sdk.containers.list():
            if item.labels.get("com.docker.swarm.service.name", "").startswith(JOB):
                return item
    return None


@pytest.mark.timeout(900, func_only=True)
def test_one_server_comes_back_as_it_was_the_second_before_a_table_was_dropped(backed: Platform) -> None:
    before = backed.fingerprint()
    moment, checksum = dropped(backed)
    backed.run("db.restore", "--to", moment, "--yes")
    assert (backed.fingerprint(), backed.sql(DATABASE, CHECKSUM)) == (before, checksum)
    backed.run("check", "db")


def kill_the_job(platform: Platform, client: int, moment: float) -> None:
    wait(moment)
    try:
        if (found := job(platform)) is not None:
            found.kill("SIGKILL")
    except docker.errors.APIError:
        # It had just ended.
        return


def kill_the_client(platform: Platform, client: int, moment: float) -> None:
    wait(moment)
    os.killpg(client, signal.SIGKILL)


@pytest.mark.timeout(3000, func_only=True)
@pytest.mark.parametrize("kill", [kill_the_job, kill_the_client])
def test_a_restore_that_is_killed_at_any_moment_loses_nothing_and_the_same_again_completes_it(
    backed: Platform, kill: Callable[[Platform, int, float], None]
) -> None:
    chance = Random(SEED)
    for number in range(KILLS):
        before = backed.fingerprint()
        moment, checksum = dropped(backed)
        process = begin(backed, "db.restore", "--to", moment, "--yes")
        until("the job", lambda: job(backed) or process.poll() is not None, every=0.05)  # noqa: B023 now
        drawn = chance.uniform(0, 6)
        kill(backed, process.pid, drawn)
        said = process.communicate(timeout=600)[0]
        sys.stderr.write(f"\n{kill.__name__} after {drawn:.1f} s: exit {process.returncode}")
        assert process.returncode in (0, 85, -signal.SIGKILL), said
        assert "Traceback" not in said
        if process.returncode == 85 and "its data is unchanged" in said:
            assert backed.fingerprint() == before, "what was refused has changed something"
        if process.returncode == -signal.SIGKILL:
            backed.run("lock.break")
        if process.returncode != 0:
            backed.run("db.restore", "--to", moment, "--yes")
        assert (backed.fingerprint(), backed.sql(DATABASE, CHECKSUM)) == (before, checksum), number
        assert all(service.healthy for service in services.services(backed.engine, "db"))
        assert job(backed) is None
        assert [name for name in leftovers(backed.engine) if JOB in name] == []
