"""The queries, by name: ingest/mark_hour is sql/ingest/mark_hour.sql."""

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from psycopg2 import sql


@cache
def query(name: str) -> str:
    """Return the text of a query."""
    return files("activity.sql").joinpath(*f"{name}.sql".split("/")).read_text(encoding="utf-8")


def composed(name: str, **parts: sql.Composable) -> sql.Composed:
    """Return a query whose {names} are filled with identifiers or literals."""
    return sql.SQL(query(name)).format(**parts)


def folder(name: str) -> list[Traversable]:
    """Return the files of a folder of queries, by name."""
    return sorted(files("activity.sql").joinpath(*name.split("/")).iterdir(), key=lambda file: file.name)
