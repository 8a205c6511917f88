"""The pages of the portal on real databases."""

import re
from html import unescape
from xml.etree.ElementTree import fromstring

import pytest


def words(answer):
    """What a reader sees of a page."""
    text = re.sub(r"<svg.*?</svg>|<script.*?</script>|<[^>]+>", " ", answer.text, flags=re.S)
    return " ".join(unescape(text).split())


def test_the_front_page_lists_foundations_and_their_projects_with_their_numbers(portal):
    page = portal.get("/")
    assert page.status_code == 200
    told = words(page)
    assert told.index("Apache Software Foundation") < told.index("Cloud Native") < told.index("Independent projects")
    # The databases were filled before the first test of this folder ran.
    assert re.search(r"Apache Events 9 Newest hour 1 Jan 2015, 02:00 Updated (just now|\d minutes? ago)", told)
    assert "Empty No data yet." in told


def test_simulated_data_is_clearly_called_so(portal):
    told = words(portal.get("/"))
    assert "Kubernetes Simulated" in told
    assert "Prometheus Partly simulated" in told
    assert "Apache Simulated" not in told
    assert "All hours are simulated" in words(portal.get("/projects/kubernetes"))
    assert "1 of 2 hours are simulated" in words(portal.get("/projects/prometheus"))
    assert "imulated" not in words(portal.get("/projects/apache"))


def test_a_hostile_display_name_is_only_text(portal):
    page = portal.get("/")
    assert "<b>Absent" not in page.text
    assert "<b>Absent & sons</b>" in words(page)


@pytest.mark.parametrize("q", ["cloud", "CLOUD native", "kube", "prometheus"])
def test_the_search_finds_by_name_and_foundation(portal, q):
    told = words(portal.get("/", params={"q": q}))
    assert "Cloud Native Computing Foundation" in told
    assert "Apache" not in told


def test_a_search_without_result_names_the_nearest_and_keeps_what_was_typed(portal):
    page = portal.get("/", params={"q": 'kubernets"><script>'})
    assert page.status_code == 200
    assert "0 of 6 projects match" in words(page)
    assert "<script>" not in page.text
    assert "Did you mean kubernetes ?" in words(portal.get("/", params={"q": "kubernets"}))


def test_a_project_shows_its_headline_numbers_exactly(portal, seeded):
    told = words(portal.get("/projects/apache"))
    assert seeded.events("apache") == 9
    assert (
        "Events 9 Contributors 3 Pull requests opened 2 Pull requests merged 1 Hours 2 "
        "Newest hour 1 Jan 2015, 02:00 , oldest 1 Jan 2015, 00:00" in told
    )


@pytest.mark.parametrize("host", ["apache.swarmstats.localhost", "Apache.SwarmStats.localhost:8080"])
def test_the_host_of_a_project_is_its_page(portal, host):
    page = portal.get("/", headers={"Host": host})
    assert page.status_code == 200
    assert "<h1>Apache" in page.text
    assert 'href="http://swarmstats.localhost:8080/cluster"' in page.text
    assert 'rel="canonical" href="http://apache.swarmstats.localhost:8080/"' in page.text


def test_another_host_is_the_front_page(portal):
    assert "<h1>Projects" in portal.get("/", headers={"Host": "10.0.0.7:8080"}).text


def test_the_host_of_no_project_names_the_nearest_on_the_portal_itself(portal):
    page = portal.get("/", headers={"Host": "apach.swarmstats.localhost"})
    assert page.status_code == 404
    assert 'href="http://swarmstats.localhost:8080/projects/apache"' in page.text


def test_every_chart_is_well_formed_and_has_its_table_and_its_csv(portal):
    page = portal.get("/projects/apache")
    charts = re.findall(r"<svg viewBox.*?</svg>", page.text, re.S)
    assert len([fromstring(chart) for chart in charts if 'class="chart' in chart]) == 6
    for metric in ("events", "contributors", "pull_requests"):
        assert f'href="/api/projects/apache/series/{metric}.csv?period=h' in page.text
    assert page.text.count("<details>") == 3


def test_an_hour_that_is_not_held_is_a_gap_and_not_a_zero(portal):
    page = portal.get("/projects/apache")
    assert 'aria-label="1 Jan 2015, 01:00: no data"' in page.text
    assert 'aria-label="1 Jan 2015, 02:00: 2 events (push 1, pull request 1)"' in page.text
    assert "no data" in words(page)


def test_by_day_a_day_held_in_part_says_so(portal):
    page = portal.get("/projects/apache", params={"period": "d"})
    assert "1 Jan 2015: opened 2, merged 1 (2 of 24 hours)" in page.text
    assert "incomplete day" in words(page)


def test_the_switches_lead_to_other_periods_ranges_and_times(portal):
    page = portal.get("/projects/apache", params={"range": "24h", "to": "2015-01-01T01:00:00Z"})
    links = {unescape(link) for link in re.findall(r'href="(\?[^"]+)"', page.text)}
    assert "?period=d&to=2015-01-01T01%3A00%3A00Z" in links
    assert "?period=h&range=7d&to=2015-01-01T01%3A00%3A00Z" in links
    for link in links:
        assert portal.get(f"/projects/apache{link}").status_code == 200, link
    later = re.search(r'rel="next" href="([^"]+)"', page.text)
    assert later is not None
    assert "to 1 Jan 2015, 02:00" in words(portal.get("/projects/apache" + unescape(later[1])))


@pytest.mark.parametrize("name", ["empty", "absent"])
def test_a_project_without_data_says_so(portal, name):
    page = portal.get(f"/projects/{name}")
    assert page.status_code == 200
    assert "No data yet" in words(page)
    assert "Events 0" in words(page)


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/projects/apach", 404, "Project “apach” not found. Did you mean apache ?"),
        ("/projects/zzzzzz", 404, "Project “zzzzzz” not found. All projects"),
        ("/kubernets", 404, "Page /kubernets not found. Did you mean kubernetes ?"),
        ("/projects/<script>alert(1)<", 404, "Project “<script>alert(1)<” not found."),
        ("/projects/apache?period=w", 400, "period=w is invalid. Allowed: h, d."),
        ("/projects/empty?range=9y", 400, "range=9y is invalid. Allowed: 24h, 48h, 7d."),
        ("/static/portal.000000000000.css", 404, "File not found"),
    ],
)
def test_what_is_not_there_or_not_understood_is_one_clear_page(portal, path, status, told):
    page = portal.get(path)
    assert page.status_code == status
    assert told in words(page)
    assert "<script>alert" not in page.text


def test_a_page_takes_no_post(portal):
    answer = portal.post("/cluster")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize("path", ["/", "/projects/apache", "/api", "/api/projects", "/nowhere", "/healthz", "/metrics"])
def test_every_answer_carries_the_security_headers_and_nothing_inline(portal, path):
    answer = portal.get(path)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "referrer-policy" in answer.headers
    if "text/html" in answer.headers["content-type"]:
        assert not re.search(r"<script(?! src=)|<style| style=| on\w+=", answer.text)


def test_pages_refer_to_their_files_by_content_and_browsers_may_keep_them(portal):
    page = portal.get("/")
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    assert len(files) == 3
    for file in files:
        answer = portal.get(file)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]


def test_pages_stay_small_on_the_wire(portal):
    for path in ("/", "/projects/apache", "/cluster", "/api"):
        answer = portal.get(path, headers={"Accept-Encoding": "gzip"})
        assert int(answer.headers["content-length"]) < 20_000, path


def test_every_page_has_a_skip_link_a_language_and_one_heading(portal):
    for path in ("/", "/projects/apache", "/cluster", "/api", "/nowhere"):
        text = portal.get(path).text
        assert text.index('class="skip" href="#main"') < text.index("<nav"), path
        assert '<html lang="en">' in text
        assert text.count("<h1") == 1
