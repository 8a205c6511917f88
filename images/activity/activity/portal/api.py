"""The same numbers as the pages show, for machines: JSON, and CSV of a series."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from activity.portal.cluster import Cluster
from activity.portal.context import PortalContext
from activity.portal.errors import NotReady
from activity.portal.formats import iso
from activity.portal.hour_status import hours_json, read_hour_status
from activity.portal.query import Window, metric_of, series_window
from activity.portal.series_table import SeriesTable, as_csv, as_json, read_tables
from activity.portal.summaries import Summary
from activity.projects import Project


def json_answer(value: Any, status: int = 200) -> Response:
    """A JSON answer, indented so that it can be read as it is."""
    body = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return Response(body, status, {"Cache-Control": "no-cache"}, "application/json")


def list_projects(request: Request) -> Response:
    """Give all projects, or those that match `q`."""
    portal: PortalContext = request.app.state.portal
    found = portal.matching(request.query_params.get("q", ""))
    summaries = portal.summaries.of_all(found)
    away = any(summary.state == "unavailable" for summary in summaries) and not portal.summaries.database_answers()
    return json_answer({"projects": [project_json(portal, summary) for summary in summaries]}, 503 if away else 200)


def show_project(request: Request) -> Response:
    """Give one project's numbers."""
    portal: PortalContext = request.app.state.portal
    return json_answer(project_json(portal, portal.summaries.of(portal.project(request.path_params["name"]))))


def show_series(request: Request) -> Response:
    """Give one metric of a project, as JSON."""
    project, table = _asked(request)
    return json_answer(as_json(table, project.name))


def show_series_csv(request: Request) -> Response:
    """Give one metric of a project, as CSV to save."""
    project, table = _asked(request)
    name = f"{project.name}-{table.metric}-{table.window.period}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-cache"}
    return Response(as_csv(table), headers=headers, media_type="text/csv")


def show_hours(request: Request) -> Response:
    """Give the ledger of hours: how many were read, which are missing and why."""
    portal: PortalContext = request.app.state.portal
    return json_answer(hours_json(read_hour_status(portal.connections)))


def show_cluster(request: Request) -> Response:
    """Give the nodes and the tasks on each."""
    portal: PortalContext = request.app.state.portal
    return json_answer(cluster_json(portal.cluster.read()))


def health(request: Request) -> Response:
    """Say that the portal is up; it stays up while the database is away, and is down once it was asked to stop."""
    if request.app.state.leaving:
        return json_answer({"status": "leaving"}, 503)
    portal: PortalContext = request.app.state.portal
    database = "ok" if portal.summaries.database_answers() else "unavailable"
    return json_answer({"status": "ok", "database": database})


def metrics(request: Request) -> Response:
    """Give the portal's own metrics to Prometheus."""
    registry: CollectorRegistry = request.app.state.registry
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def project_json(portal: PortalContext, summary: Summary) -> dict[str, Any]:
    """A project as the API gives it; numbers are null while its database cannot be read."""
    project, totals, progress = summary.project, summary.totals, summary.progress
    known = summary.state != "unavailable"
    return {
        "name": project.name,
        "display_name": project.display_name,
        "foundation": project.foundation,
        "state": summary.state,
        "source": progress.source,
        "events": totals.events if known else None,
        "contributors": totals.contributors if known else None,
        "pull_requests": {
            "opened": totals.opened if known else None,
            "merged": totals.merged if known else None,
        },
        "hours": progress.hours if known else None,
        "oldest_hour": iso(progress.oldest_hour),
        "newest_hour": iso(progress.newest_hour),
        "updated_at": iso(progress.updated_at),
        "recent_events": list(summary.recent),
        "url": portal.address(project),
    }


def cluster_json(cluster: Cluster) -> dict[str, Any]:
    """The cluster as the API gives it."""
    return {"read_at": iso(datetime.now(UTC)), **asdict(cluster)}


def _asked(request: Request) -> tuple[Project, SeriesTable]:
    portal: PortalContext = request.app.state.portal
    project = portal.project(request.path_params["name"])
    metric = metric_of(request.path_params["metric"])
    window = _window(request, portal.summaries.of(project))
    return project, read_tables(portal.connections, project.database, [metric], window)[0]


def _window(request: Request, summary: Summary) -> Window:
    newest = summary.progress.newest_hour
    # The parameters are judged even while there is nothing to show, or a wrong one would look like a passing outage.
    window = series_window(request.query_params, newest or datetime.now(UTC).replace(tzinfo=None))
    if newest is None:
        raise NotReady(f"No data for {summary.project.display_name} yet.")
    return window
