"""Pages from the templates in `templates/`; every value is escaped, an unknown one is an error."""

from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from activity.portal import formats
from activity.portal.assets import asset_url
from activity.portal.context import PortalContext
from activity.portal.hosts import project_of_host


@cache
def environment() -> Environment:
    """The templates with the words they may use."""
    templates = Environment(
        loader=PackageLoader("activity.portal"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "number": formats.number,
        "counted": formats.counted,
        "minute": formats.minute,
        "iso": formats.iso,
        "size": formats.size,
        "period_name": formats.period_name,
        "query": lambda values: "?" + urlencode({name: value for name, value in values.items() if value}),
    }
    templates.globals |= {"asset": asset_url, "ago": formats.ago}
    return templates


def page(request: Request, name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """The answer that shows a template."""
    portal: PortalContext = request.app.state.portal
    values |= {"home": home(request), "domain": portal.domain, "now": datetime.now(UTC)}
    headers = {"Cache-Control": "no-cache", "Vary": "Host"}
    if status == 503:
        headers["Retry-After"] = "10"
    return HTMLResponse(environment().get_template(name).render(values), status, headers)


def home(request: Request) -> str:
    """What leads to the portal's first page: a project's own host has to name the portal's."""
    portal: PortalContext = request.app.state.portal
    host = project_of_host(request.headers.get("host", ""), portal.domain)
    return "" if host is None else portal.public_url
