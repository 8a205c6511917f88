"""Hours (the real ones of 2015-01-01 where they are at hand) arrive exactly, are shown exactly, and survive a kill."""

import random
import re
from pathlib import Path

import docker.errors
import pytest

from swarm.settings.environment import ROOT
from tests.e2e.conftest import EVENTS, STATE, TABLES, Platform, pretty
from tests.support import browser
from tests.support.waiting import until, wait

SEED = 20150101


@pytest.mark.usefixtures("shared_data")
def test_each_project_holds_exactly_its_events_of_the_two_hours(platform: Platform) -> None:
    assert platform.counts() == EVENTS


@pytest.mark.parametrize("project", EVENTS)
def test_traefik_leads_the_projects_host_to_a_page_with_its_number(platform: Platform, project: str) -> None:
    answer = platform.get(project)
    assert answer.status_code == 200
    assert re.search(rf"\b{platform.events[project]}\b", answer.text)
    assert platform.get("", f"/api/projects/{project}").json()["events"] == platform.events[project]


@pytest.mark.parametrize("project", EVENTS)
def test_a_browser_shows_the_number(platform: Platform, project: str) -> None:
    page = browser.document(platform.environment.url(project) + "/")
    text = re.sub(r"<[^>]+>", " ", page)
    assert re.search(rf"\b{platform.events[project]}\b", text)


def test_a_browser_takes_pictures_of_the_pages(platform: Platform, request: pytest.FixtureRequest) -> None:
    pictures = ROOT / "docs" / "images" if request.config.getoption("--screenshots") else STATE
    pictures.mkdir(parents=True, exist_ok=True)
    pages: dict[str, tuple[str, str]] = {
        "portal": ("", "/"),
        "project": ("apache", "/?period=h"),
        "cluster": ("", "/cluster"),
    }
    for name, (host, path) in pages.items():
        file: Path = pictures / f"{name}.png"
        browser.screenshot(platform.environment.url(host) + path, file)
        assert file.read_bytes().startswith(b"\x89PNG")


def test_the_series_agree_with_the_events(platform: Platform) -> None:
    def computed() -> bool:
        answer = platform.get("", "/api/projects/apache/series/events?period=d")
        values = [value for line in answer.json()["series"] for value in line["values"]]
        return sum(value for value in values if value is not None) == platform.events["apache"]

    until("the series of apache", computed)


def test_reading_the_hours_again_changes_nothing(platform: Platform) -> None:
    before = platform.fingerprint()
    platform.inside(
        "archive_ingest", "python3", "-m", "activity", "ingest", "--from", "2015-01-01-0", "--to", "2015-01-01-1"
    )
    assert platform.fingerprint() == before


def test_killing_the_ingest_in_the_middle_loses_and_doubles_nothing(platform: Platform, long: bool) -> None:
    before = platform.fingerprint()
    moments = random.Random(SEED)
    for round_number in range(10 if long else 3):
        for project in platform.environment.projects:
            platform.sql(project.database, f"truncate hours, series_pending, {', '.join(TABLES)}")
        _kill_once(platform, moments.uniform(0.0, 2.0))
        until(
            f"all events again, round {round_number}",
            lambda: platform.counts() == platform.events,
            every=1.0,
        )
        after = platform.fingerprint()
        assert after == before, pretty({key: (before[key], after[key]) for key in before if before[key] != after[key]})


def _kill_once(platform: Platform, after: float) -> None:
    """Restart the ingest and SIGKILL its process `after` seconds later, wherever in its work it is then."""
    client, old = platform.container("archive_ingest")
    client.containers.get(old).kill("SIGKILL")

    def fresh() -> bool:
        return platform.container("archive_ingest")[1] != old

    until("a new ingest", fresh)
    client, identity = platform.container("archive_ingest")
    wait(after)
    try:
        client.containers.get(identity).kill("SIGKILL")
    except docker.errors.APIError as error:
        raise AssertionError("the ingest ended before it could be killed") from error
