"""The SQL of the portal: one query a file in `sql/`, read once."""

from functools import cache
from importlib.resources import files


@cache
def query(name: str) -> str:
    """The text of `sql/<name>.sql`."""
    return files("activity.portal").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
