"""The members of the database as Patroni sees them."""

import json
from typing import Any

import docker

from tests.e2e.conftest import Platform
from tests.e2e.support import outage
from tests.support.waiting import until


def members(platform: Platform) -> list[dict[str, Any]]:
    """The members as Patroni sees them, by whoever knows the newest timeline: one that was cut off knows the past."""
    answers = [_asked(platform, number) for number in range(1, platform.environment.database.members + 1)]
    return max(answers, key=lambda found: max((int(item.get("timeline") or 0) for item in found), default=0))


def _asked(platform: Platform, number: int) -> list[dict[str, Any]]:
    client_and_id = next(iter(outage.containers(platform, f"db_patroni{number}")), None)
    if client_and_id is None:
        return []
    client, identity = client_and_id
    try:
        argv = ["curl", "-s", "--max-time", "3", "http://127.0.0.1:8008/cluster"]
        found: list[dict[str, Any]] = json.loads(client.containers.get(identity).exec_run(argv)[1])["members"]
        return found
    except (docker.errors.DockerException, ValueError, LookupError):
        return []


def leader(platform: Platform) -> str:
    """The name of the member that leads, or nothing."""
    return next((item["name"] for item in members(platform) if item["role"] == "leader"), "")


def whole(platform: Platform) -> bool:
    """One leader, and all others follow it closely; it counts on each of them for its commits."""
    found = members(platform)
    streaming = [item for item in found if item["state"] == "streaming" and item.get("lag", 1) == 0]
    followers = [item for item in streaming if item["role"] == "quorum_standby"]
    leads = any(item["role"] == "leader" for item in found)
    return leads and len(followers) == platform.environment.database.members - 1


def until_whole(platform: Platform) -> None:
    """Wait for a healthy cluster; each look is a process in each member, so there are few."""
    until("a healthy cluster", lambda: whole(platform), every=0.5)
