"""Where the repository is, as pgBackRest's own configuration names it, and why it does not answer."""

import re
import socket
from configparser import ConfigParser, Error
from dataclasses import dataclass
from pathlib import Path

CONFIGURATION_FILE = Path("/etc/pgbackrest/pgbackrest.conf")
HTTPS_PORT = 443
CONNECT_TIMEOUT_SECONDS = 3.0
# An endpoint may be a name, a name with a port, an address, or any of them with a scheme.
ENDPOINT = re.compile(r"^(?:https?://)?(?P<host>\[[^]]+\]|[^:/]+)(?::(?P<port>\d+))?")


@dataclass(frozen=True)
class RepositoryConfig:
    """A bucket and the server that is asked for it; of a folder the name alone."""

    name: str
    host: str = ""
    port: int = HTTPS_PORT

    def __str__(self) -> str:
        """What people call it."""
        if not self.host:
            return f"The backup repository in {self.name}"
        return f"Bucket {self.name} at {self.host}{'' if self.port == HTTPS_PORT else f':{self.port}'}"

    def reason(self, seconds: float = CONNECT_TIMEOUT_SECONDS) -> str:
        """Why it does not answer, as far as one connection tells, which is given up after so long."""
        if not self.host:
            return "is the shared storage mounted?"
        try:
            socket.create_connection((self.host.strip("[]"), self.port), timeout=seconds).close()
        except TimeoutError:
            return "it does not accept connections"
        except OSError as error:
            return (error.strerror or str(error)).lower()
        return "it accepts connections but does not respond"


def read(configuration: Path = CONFIGURATION_FILE) -> RepositoryConfig:
    """The place that pgBackRest is told; what cannot be read is left to pgBackRest to complain of."""
    found = ConfigParser(interpolation=None)
    try:
        found.read_string(configuration.read_text())
        told = found["global"]
    except (OSError, Error, KeyError):
        return RepositoryConfig("an unknown location")
    if told.get("repo1-type") != "s3":
        return RepositoryConfig(told.get("repo1-path", "an unknown location"))
    bucket, endpoint = told.get("repo1-s3-bucket", ""), told.get("repo1-s3-endpoint", "")
    parts = ENDPOINT.match(endpoint)
    if parts is None:
        return RepositoryConfig(bucket, endpoint)
    host = parts["host"] if told.get("repo1-s3-uri-style") == "path" else f"{bucket}.{parts['host']}"
    return RepositoryConfig(bucket, host, int(parts["port"] or HTTPS_PORT))
