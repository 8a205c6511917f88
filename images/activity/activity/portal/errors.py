"""What can go wrong while a page is made; each error knows its HTTP status and says what to do.

PortalError
 ├── NotFound             404  no such project, metric or page; names the nearest
 ├── InvalidParameter     400  a parameter of the address; names what is allowed
 ├── DatabaseUnreachable  503  no database server answers
 ├── DatabaseBusy         503  all connections of the portal are in use
 ├── NotReady             503  the project's database or its tables do not exist yet
 └── ClusterUnreachable   503  the Docker API does not answer as a swarm manager does
"""

from collections.abc import Iterable
from difflib import get_close_matches


class PortalError(Exception):
    """An error that is shown to the visitor as a page, without a traceback."""

    status = 500
    title = "Something went wrong"
    # The key of the suggestions in the JSON of an error.
    suggest = "allowed"

    def __init__(self, message: str, suggestions: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.suggestions = tuple(suggestions)


class NotFound(PortalError):
    """No such project, metric or page; suggests the nearest projects."""

    status = 404
    title = "Not found"
    suggest = "near"


class InvalidParameter(PortalError):
    """An invalid parameter of the address; suggests what is allowed."""

    status = 400
    title = "Invalid parameter"


class DatabaseUnreachable(PortalError):
    """No database server answers."""

    status = 503
    title = "Database unavailable"


class DatabaseBusy(PortalError):
    """The database answers, but not in time."""

    status = 503
    title = "Database busy"


class NotReady(PortalError):
    """The project's database or its tables do not exist yet."""

    status = 503
    title = "No data yet"


class ClusterUnreachable(PortalError):
    """The Docker API does not answer as a swarm manager does."""

    status = 503
    title = "Cluster unavailable"


def nearest(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names most like `name`, at most five, the likeliest first."""
    by_lower = {candidate.lower(): candidate for candidate in names}
    close = get_close_matches(name.lower(), list(by_lower), n=5, cutoff=0.5)
    return tuple(by_lower[found] for found in close)
