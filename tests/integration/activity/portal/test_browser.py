"""The portal as a process, seen by a real browser."""

import re

import pytest

from tests.support import browser


def host_of(served, project):
    return served.replace("http://", f"http://{project}.")


def test_a_browser_shows_a_project_at_its_own_host(served):
    page = browser.document(host_of(served, "apache") + "/")
    assert re.search(r"<dt>Events</dt><dd>9</dd>", page)
    assert 'aria-label="1 Jan 2015, 00:00: 7 events (push 5, pull request 2)"' in page


def test_with_scripts_a_chart_is_one_stop_of_the_tab_key(served):
    page = browser.document(f"{served}/projects/apache")
    chart = re.search(r'<svg[^>]*class="chart wide".*?</svg>', page, re.S)
    assert chart is not None
    assert chart[0].count('tabindex="0"') == 1
    assert chart[0].count('tabindex="-1"') == 5


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("path", ["/", "/projects/apache", "/cluster"])
def test_pages_can_be_pictured_in_light_and_dark(served, swarm_manager, tmp_path, path, dark):
    file = tmp_path / "page.png"
    browser.screenshot(served + path, file, dark=dark)
    assert file.stat().st_size > 5_000
