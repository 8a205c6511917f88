"""The portal as a Starlette application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry, Gauge
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activity.portal import api, downloads, pages
from activity.portal.context import PortalContext, open_context
from activity.portal.errors import NotFound, PortalError
from activity.portal.middleware import SECURITY_HEADERS, RequestMetrics, SecurityHeaders
from activity.portal.templating import page
from activity.settings import Settings

ROUTES = (
    Route("/", pages.front),
    Route("/projects/{name}", pages.show_project),
    Route("/hours", pages.show_hours),
    Route("/cluster", pages.show_cluster),
    Route("/backups", downloads.show_backups),
    Route("/backups/{name}", downloads.download),
    Route("/api", pages.show_api),
    Route("/static/{file}", pages.static),
    Route("/api/projects", api.list_projects),
    Route("/api/projects/{name}", api.show_project),
    Route("/api/projects/{name}/series/{metric}.csv", api.show_series_csv),
    Route("/api/projects/{name}/series/{metric}", api.show_series),
    Route("/api/hours", api.show_hours),
    Route("/api/cluster", api.show_cluster),
    Route("/api/backups", downloads.list_backups),
    Route("/healthz", api.health),
    Route("/metrics", api.metrics),
)


def create_app(settings: Settings) -> Starlette:
    """The portal for the settings; connects when the first visitor asks, not before."""
    portal = open_context(settings)
    registry = CollectorRegistry()
    connections = Gauge("portal_database_connections", "Connections to Postgres now.", registry=registry)
    connections.set_function(lambda: portal.connections.count)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        portal.close()

    app = Starlette(
        routes=list(ROUTES),
        lifespan=lifespan,
        middleware=[
            Middleware(RequestMetrics, registry=registry),
            Middleware(SecurityHeaders),
            Middleware(GZipMiddleware, minimum_size=1000),
        ],
        exception_handlers={PortalError: _failed, HTTPException: _refused, Exception: _broke},
    )
    app.state.portal = portal
    app.state.registry = registry
    app.state.leaving = False
    return app


def _failed(request: Request, error: Exception) -> Response:
    failure = error if isinstance(error, PortalError) else PortalError(str(error))
    if _wants_json(request):
        told = {"error": failure.message, failure.suggest: list(failure.suggestions)}
        return api.json_answer(told, failure.status)
    return page(request, "error.html", failure.status, failure=failure)


def _refused(request: Request, error: Exception) -> Response:
    portal: PortalContext = request.app.state.portal
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return _failed(request, NotFound(f"Page {request.url.path} not found.", portal.near(_last_word(request))))
    failure = PortalError("Method not allowed.")
    failure.status = status
    answer = _failed(request, failure)
    answer.headers.update(dict(getattr(error, "headers", None) or {}))
    return answer


def _broke(request: Request, error: Exception) -> Response:
    # The server logs the traceback; the visitor learns only that it was our fault.
    answer = _failed(request, PortalError("Internal error; see the portal's log."))
    answer.headers.update(SECURITY_HEADERS)
    return answer


def _last_word(request: Request) -> str:
    return request.url.path.rstrip("/").rpartition("/")[2][:100]


def _wants_json(request: Request) -> bool:
    path = request.url.path
    return path.startswith("/api/") or path in ("/healthz", "/metrics")
