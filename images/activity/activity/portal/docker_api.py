"""The read-only Docker API of a swarm manager."""

from typing import Any

import httpx

from activity.portal.errors import ClusterUnreachable

TIMEOUT_SECONDS = 4.0


class DockerApi:
    """Answers of the Docker Engine API; over plain HTTP, since a proxy in front lets only reading through."""

    def __init__(self, url: str) -> None:
        self.url = url
        # Proxy settings of the environment are for the internet, not for a neighbour in the swarm.
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, trust_env=False)

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def listed(self, kind: str) -> list[dict[str, Any]]:
        """All nodes, services or tasks of the swarm. Raises ClusterUnreachable."""
        try:
            answer = self._client.get(f"/{kind}")
            found = answer.json()
        except httpx.HTTPError as error:
            raise ClusterUnreachable(
                f"The Docker API at {self.url} does not answer ({type(error).__name__})."
            ) from error
        except ValueError as error:
            raise ClusterUnreachable(
                f"What answers at {self.url} is not the Docker API: /{kind} is not JSON."
            ) from error
        if answer.status_code != httpx.codes.OK:
            raise ClusterUnreachable(
                f"The Docker API at {self.url} rejected /{kind} ({answer.status_code}){_said(found)}."
            )
        if not isinstance(found, list):
            raise ClusterUnreachable(f"What answers at {self.url} is not the Docker API: /{kind} is not a list.")
        return found


def _said(answer: Any) -> str:
    message = answer.get("message") if isinstance(answer, dict) else None
    return f": {str(message).rstrip('.')}" if message else ""
