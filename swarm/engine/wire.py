"""Requests that the docker SDK has no call for, sent through its own connection."""

from collections.abc import Mapping
from typing import Any

import docker
import requests

Spec = dict[str, Any]
Specs = list[Spec]
# The label by which Docker marks what belongs to a stack.
NAMESPACE = "com.docker.stack.namespace"


def post(sdk: docker.DockerClient, path: str, body: Mapping[str, Any], **options: Any) -> Spec:
    """Send a POST and return the answer; raises docker.errors.APIError."""
    client: Any = sdk.api
    answer = client._post(client._url(path), json=dict(body), **options)
    client._raise_for_status(answer)
    return dict(answer.json() or {}) if answer.content else {}


def get(sdk: docker.DockerClient, path: str, parameters: Mapping[str, Any], **options: Any) -> requests.Response:
    """Send a GET and return the response, which may be a stream; raises requests' HTTPError."""
    answer = sdk.api.get(f"{sdk.api.base_url}{path}", params=dict(parameters), **options)
    answer.raise_for_status()
    return answer


def filters(**given: str | None) -> dict[str, str] | None:
    """Filters as the SDK takes them; None where none is set."""
    chosen = {key: value for key, value in given.items() if value}
    return chosen or None


def of_stack(stack: str | None) -> str | None:
    """What belongs to a stack, as a filter by label; None for everything."""
    return f"{NAMESPACE}={stack}" if stack else None
