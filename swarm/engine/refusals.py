"""What a Docker engine raises when it refuses a request or does not answer."""

from collections.abc import Iterator
from contextlib import contextmanager

import docker.errors
import requests.exceptions
import urllib3.exceptions

from swarm.engine import retry
from swarm.errors import StackFailed

APIError = docker.errors.APIError

# What the docker SDK raises; of answers that are read bit by bit, also what lies below it.
REFUSALS = (docker.errors.DockerException, requests.exceptions.RequestException, urllib3.exceptions.HTTPError)
# What a manager answers to an update of a version that is no longer the current one.
OUT_OF_SEQUENCE = "out of sequence"


def reason(error: BaseException) -> str:
    """Why an engine refused, in its own words where it gave any."""
    return str(getattr(error, "explanation", None) or error)


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Raise StackFailed where the managers reject a request in the block; a swarm without a leader rejects nothing."""
    try:
        yield
    except APIError as error:
        if error.response is not None and retry.is_leaderless(error.response):
            raise
        raise StackFailed(f"{what}: Docker rejected the request: {reason(error)}") from error
