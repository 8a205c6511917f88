"""The JSON and CSV of the portal on real databases."""

import csv
from io import StringIO

import pytest


def test_a_project_is_given_with_everything_its_page_shows(portal):
    answer = portal.get("/api/projects/apache")
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    assert told.pop("updated_at").endswith("Z")
    assert told.pop("recent_events")[-3:] == [5, None, 1]
    assert told == {
        "name": "apache",
        "display_name": "Apache",
        "foundation": "Apache Software Foundation",
        "state": "ready",
        "source": "archive",
        "events": 9,
        "contributors": 3,
        "pull_requests": {"opened": 2, "merged": 1},
        "hours": 2,
        "oldest_hour": "2015-01-01T00:00:00Z",
        "newest_hour": "2015-01-01T02:00:00Z",
        "url": "http://apache.swarmstats.localhost:8080/",
    }


def test_all_projects_are_given_or_those_that_match(portal):
    found = portal.get("/api/projects").json()["projects"]
    assert {project["name"]: (project["state"], project["source"]) for project in found} == {
        "apache": ("ready", "archive"),
        "kubernetes": ("ready", "simulated"),
        "prometheus": ("ready", "mixed"),
        "growing": ("ready", "archive"),
        "empty": ("waiting", None),
        "absent": ("waiting", None),
    }
    assert [project["name"] for project in portal.get("/api/projects?q=cloud").json()["projects"]] == [
        "kubernetes",
        "prometheus",
    ]


def test_a_series_is_given_period_by_period(portal):
    told = portal.get("/api/projects/apache/series/events?from=2015-01-01&to=2015-01-01T03:00Z").json()
    assert told["times"] == [f"2015-01-01T0{hour}:00:00Z" for hour in range(3)]
    assert told["hours_held"] == [1, 0, 1]
    assert told["series"] == [
        {"name": "PushEvent", "values": [5.0, None, 1.0]},
        {"name": "PullRequestEvent", "values": [2.0, None, 1.0]},
    ]
    assert told["computed_at"].endswith("Z")
    assert told["periods_pending"] == 0


def test_a_series_by_day_ends_with_the_newest_day_unless_said_otherwise(portal):
    told = portal.get("/api/projects/apache/series/pull_requests?period=d").json()
    assert (told["to"], len(told["times"])) == ("2015-01-02T00:00:00Z", 90)
    assert {series["name"]: series["values"][-1] for series in told["series"]} == {"opened": 2.0, "merged": 1.0}


def test_a_series_as_csv_opens_as_a_table(portal):
    answer = portal.get("/api/projects/apache/series/contributors.csv?from=2015-01-01&to=2015-01-01T02:00")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="apache-contributors-h.csv"'
    assert list(csv.reader(StringIO(answer.text))) == [
        ["time", "hours_held", "all"],
        ["2015-01-01T00:00:00Z", "1", "3"],
        ["2015-01-01T01:00:00Z", "0", ""],
    ]


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/api/projects/apach", 404, {"error": "Project “apach” not found.", "near": ["apache"]}),
        ("/api/projects/apache/series/stars", 404, None),
        ("/api/projects/apache/series/events?period=w", 400, None),
        ("/api/projects/apache/series/events?from=x", 400, None),
        ("/api/projects/empty/series/events?period=w", 400, None),
        ("/api/projects/empty/series/events", 503, None),
        ("/api/projects/apache/serie", 404, None),
    ],
)
def test_an_error_is_json_too(portal, path, status, told):
    answer = portal.get(path)
    assert answer.status_code == status
    assert answer.json()["error"]
    if told:
        assert answer.json() == told


def test_a_wrong_period_is_answered_with_those_allowed(portal):
    assert portal.get("/api/projects/apache/series/events?period=w").json() == {
        "error": "period=w is invalid. Allowed: h, d.",
        "allowed": ["h", "d"],
    }


def test_the_api_page_shows_addresses_that_work(portal):
    text = portal.get("/api").text
    for path in ("/api/projects", "/api/projects/apache", "/api/projects/apache/series/events?period=h", "/healthz"):
        assert f'href="{path}"' in text
        assert portal.get(path).status_code == 200


def test_health_says_that_portal_and_database_are_well(portal):
    assert portal.get("/healthz").json() == {"status": "ok", "database": "ok"}


def test_metrics_count_requests_by_route_and_never_by_name(portal):
    portal.get("/projects/apache")
    portal.get("/projects/apach")
    portal.get("/wp-login.php")
    told = portal.get("/metrics").text
    assert 'portal_requests_total{route="/projects/{name}",status="200"} 1.0' in told
    assert 'portal_requests_total{route="/projects/{name}",status="404"} 1.0' in told
    assert 'portal_requests_total{route="none",status="404"} 1.0' in told
    assert 'portal_request_seconds_count{route="/projects/{name}"} 2.0' in told
    assert "wp-login" not in told


def test_the_ledger_of_hours_tells_what_is_lacking_and_why(portal, seeded):
    seeded.log_rows(
        "insert into archive_hours (source, dt, state, attempts, first_tried_at, last_tried_at, next_try_at, problem)"
        " values ('archive', '2015-01-01 00:00', 'read', 1, now(), now(), null, ''),"
        " ('archive', '2015-01-01 01:00', 'missing', 3, now(), now(), '2026-01-01Z', 'not <b>there</b>'),"
        " ('archive', '2015-01-01 02:00', 'given up', 9, now(), now(), null, 'broken')"
    )
    try:
        told = portal.get("/api/hours").json()
        page = portal.get("/hours").text
    finally:
        seeded.log_rows("truncate archive_hours")
    assert told["counts"] == {"read": 1, "salvaged": 0, "skipped": 0, "missing": 1, "failing": 0, "given up": 1}
    assert told["newest_hour"] == "2015-01-01T00:00:00Z"
    assert [(hole["hour"], hole["state"], hole["next_try_at"]) for hole in told["missing"]] == [
        ("2015-01-01T02:00:00Z", "given up", None),
        ("2015-01-01T01:00:00Z", "missing", "2026-01-01T00:00:00Z"),
    ]
    assert "1 hour read, 2 missing" in page
    assert "not &lt;b&gt;there&lt;/b&gt;" in page
