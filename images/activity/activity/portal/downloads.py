"""The dumps of projects, for whoever wants a database of their own: a page, the same as JSON, and the files."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from activity.backup.dump_store import Dump, DumpStore
from activity.portal.api import json_answer
from activity.portal.context import PortalContext
from activity.portal.errors import NotFound
from activity.portal.formats import iso
from activity.portal.templating import page

# A dump is compressed already, and a length lets a download go on where it broke off.
DOWNLOAD_HEADERS = {"Content-Encoding": "identity", "Cache-Control": "public, max-age=86400, immutable"}


@dataclass(frozen=True)
class Download:
    """One dump as visitors see it."""

    project: str
    title: str
    name: str
    taken_at: datetime
    bytes: int
    rows: int
    sha256: str


def downloads(portal: PortalContext) -> list[Download]:
    """The dumps of the projects of this portal, by project, newest first."""
    store = DumpStore(portal.dumps)
    return [
        _download(dump, project.display_name)
        for project in sorted(portal.projects, key=lambda project: project.display_name.lower())
        for dump in store.of(project.name)
    ]


def show_backups(request: Request) -> Response:
    """Show the dumps that can be downloaded."""
    portal: PortalContext = request.app.state.portal
    return page(request, "backups.html", downloads=downloads(portal))


def list_backups(request: Request) -> Response:
    """Give the dumps that can be downloaded."""
    portal: PortalContext = request.app.state.portal
    return json_answer({"backups": [told(portal, item) for item in downloads(portal)]})


def download(request: Request) -> Response:
    """Give a dump, piece by piece; only a name that is on the list is a file here."""
    portal: PortalContext = request.app.state.portal
    store = DumpStore(portal.dumps)
    found = store.find(request.path_params["name"])
    known = {project.name for project in portal.projects}
    if found is None or found.project not in known:
        raise NotFound("Dump not found. The Backups page lists all dumps.")
    return FileResponse(
        store.path(found), media_type="application/octet-stream", filename=found.name, headers=DOWNLOAD_HEADERS
    )


def told(portal: PortalContext, item: Download) -> dict[str, Any]:
    """A dump as the API gives it."""
    return {
        "project": item.project,
        "name": item.name,
        "taken_at": iso(item.taken_at),
        "bytes": item.bytes,
        "rows": item.rows,
        "sha256": item.sha256,
        "url": f"{portal.public_url}/backups/{item.name}",
    }


def _download(dump: Dump, title: str) -> Download:
    return Download(dump.project, title, dump.name, dump.taken_at, dump.bytes, sum(dump.rows.values()), dump.sha256)
