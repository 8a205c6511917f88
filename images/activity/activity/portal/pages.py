"""The pages: foundations and projects, one project, the cluster, the API."""

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from activity.portal.assets import asset_at
from activity.portal.charts import spark
from activity.portal.context import PortalContext, by_foundation
from activity.portal.errors import NotFound, NotReady
from activity.portal.formats import counted, iso
from activity.portal.hosts import project_of_host
from activity.portal.hour_status import read_hour_status
from activity.portal.project_charts import project_chart
from activity.portal.query import DEFAULT_RANGE, METRICS, RANGES, Window, floor, page_window, period_of, range_of
from activity.portal.series_table import read_tables
from activity.portal.summaries import Summary
from activity.portal.templating import page
from activity.projects import Project

CACHE_FOREVER = "public, max-age=31536000, immutable"
RANGE_TITLES = {
    "24h": "24 hours",
    "48h": "48 hours",
    "7d": "7 days",
    "30d": "30 days",
    "90d": "90 days",
    "1y": "1 year",
}


def front(request: Request) -> Response:
    """Show the projects; on a project's own host, the project."""
    portal: PortalContext = request.app.state.portal
    name = project_of_host(request.headers.get("host", ""), portal.domain)
    return _projects(request, portal) if name is None else _project(request, portal, portal.project(name))


def show_project(request: Request) -> Response:
    """Show one project."""
    portal: PortalContext = request.app.state.portal
    return _project(request, portal, portal.project(request.path_params["name"]))


def show_hours(request: Request) -> Response:
    """Show which hours are missing, and why."""
    portal: PortalContext = request.app.state.portal
    return page(request, "hours.html", hours=read_hour_status(portal.connections))


def show_cluster(request: Request) -> Response:
    """Show the nodes and the tasks on each."""
    portal: PortalContext = request.app.state.portal
    return page(request, "cluster.html", cluster=portal.cluster.read())


def show_api(request: Request) -> Response:
    """Show what the API offers, with an example of each."""
    portal: PortalContext = request.app.state.portal
    example = portal.projects[0].name if portal.projects else "apache"
    return page(request, "api.html", example=example, metrics=METRICS, public_url=portal.public_url)


def static(request: Request) -> Response:
    """Give a file that pages refer to; its address changes with its content."""
    asset = asset_at(request.url.path)
    if asset is None:
        raise NotFound("File not found.")
    return Response(asset.body, media_type=asset.media_type, headers={"Cache-Control": CACHE_FOREVER})


def _projects(request: Request, portal: PortalContext) -> Response:
    text = request.query_params.get("q", "").strip()[:100]
    found = portal.matching(text)
    summaries = {summary.project.name: summary for summary in portal.summaries.of_all(found)}
    unread = [summary for summary in summaries.values() if summary.state == "unavailable"]
    away = bool(unread) and not portal.summaries.database_answers()
    return page(
        request,
        "projects.html",
        503 if away else 200,
        here="Projects",
        q=text,
        foundations=by_foundation(found),
        summaries=summaries,
        sparks={name: _spark(summary) for name, summary in summaries.items()},
        away=away,
        near=portal.near(text) if text and not found else (),
        all_count=len(portal.projects),
    )


def _spark(summary: Summary) -> str:
    if not summary.recent:
        return ""
    total = sum(count or 0 for count in summary.recent)
    return spark(summary.recent, f"{counted(total, 'event')} in the last {len(summary.recent)} hours with data")


def _project(request: Request, portal: PortalContext, project: Project) -> Response:
    query = request.query_params
    summary = portal.summaries.of(project)
    newest = summary.progress.newest_hour
    # The parameters are judged even while there is nothing to show yet.
    now = datetime.now(UTC).replace(tzinfo=None)
    window = page_window(query, summary.progress.oldest_hour or now, newest or now)
    values: dict[str, Any] = {"summary": summary, "project": project, "address": portal.address(project)}
    try:
        tables = read_tables(portal.connections, project.database, METRICS, window) if newest else []
    except NotReady:
        tables = []
    period = period_of(query)
    until = query.get("to", "")
    return page(
        request,
        "project.html",
        **values,
        figures=[project_chart(table) for table in tables],
        window=window,
        period=period,
        periods={"h": "By hour", "d": "By day"},
        range=range_of(query, period),
        default_range=DEFAULT_RANGE,
        ranges={name: RANGE_TITLES[name] for name in RANGES[period]},
        to=until,
        last=window.end - window.step,
        earlier=_earlier(window, summary.progress.oldest_hour),
        later=_later(window, newest),
    )


def _earlier(window: Window, oldest: datetime | None) -> str | None:
    return iso(window.start) if oldest and window.start > oldest else None


def _later(window: Window, newest: datetime | None) -> str | None:
    if newest is None or window.end > newest:
        return None
    return iso(min(window.end + (window.end - window.start), floor(newest, window.period) + window.step))
