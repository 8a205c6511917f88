"""The files that pages refer to, at addresses that change with their content: browsers keep them for good."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import PurePath

MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Asset:
    """One file: its address, its content and its type."""

    url: str
    body: bytes
    media_type: str


@cache
def assets() -> dict[str, Asset]:
    """The files of `static/` by name, such as portal.css."""
    found = files("activity.portal").joinpath("static").iterdir()
    return {file.name: _asset(file.name, file.read_bytes()) for file in found}


def asset_url(name: str) -> str:
    """The address of a file of `static/`."""
    return assets()[name].url


def asset_at(url: str) -> Asset | None:
    """The file with that address, if it still has that content."""
    return next((asset for asset in assets().values() if asset.url == url), None)


def _asset(name: str, body: bytes) -> Asset:
    path = PurePath(name)
    return Asset(f"/static/{path.stem}.{sha256(body).hexdigest()[:12]}{path.suffix}", body, MEDIA_TYPES[path.suffix])
