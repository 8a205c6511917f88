"""The images of one engine, and those of registries as the engine sees them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import docker
import docker.errors

from swarm.engine.refusals import REFUSALS
from swarm.engine.wire import Spec
from swarm.errors import ImageFailed

BUILD_LINES = 15


class Images:
    """The images of one engine."""

    def __init__(self, sdk: docker.DockerClient) -> None:
        self._sdk = sdk

    def exists(self, reference: str) -> bool:
        """Whether this engine has the image."""
        try:
            self._sdk.images.get(reference)
        except docker.errors.ImageNotFound:
            return False
        return True

    def in_registry(self, reference: str) -> bool:
        """Whether the image's registry has it; raises one of REFUSALS where the registry does not answer."""
        try:
            self._sdk.images.get_registry_data(reference)
        except docker.errors.NotFound:
            return False
        return True

    def was_pushed(self, reference: str) -> bool:
        """Whether the image's registry has it; a registry that does not answer has none."""
        try:
            return self.in_registry(reference)
        except REFUSALS:
            return False

    def digest(self, reference: str) -> str | None:
        """The digest that a tag has in its registry now, as this engine sees it; None when it is not there."""
        try:
            found = self._sdk.api.inspect_distribution(reference)
        except docker.errors.APIError:
            return None
        return str(found["Descriptor"]["digest"])

    def push(self, reference: str) -> Iterator[Spec]:
        """Push an image; yields the progress messages of the engine, an `error` among them when it fails."""
        yield from self._sdk.images.push(reference, stream=True, decode=True)

    def pull(self, reference: str) -> None:
        """Pull an image."""
        self._sdk.images.pull(reference)

    def import_archive(self, archive: Path, repository: str, tag: str) -> None:
        """Make an image of one layer from a tar archive of its files."""
        self._sdk.api.import_image_from_file(str(archive), repository=repository, tag=tag)


def build(
    host: str | None,
    context: str | None,
    client: Sequence[str],
    directory: Path,
    tag: str,
    arguments: Mapping[str, str],
    secrets: Sequence[str],
) -> None:
    """Build an image through the docker client's buildx; raises ImageFailed with the last lines of its output."""
    # Here and not above: no other verb needs it, and it takes as long to load as all the rest.
    from python_on_whales import DockerClient
    from python_on_whales.exceptions import DockerException

    whales = DockerClient(host=host, context=context, client_call=list(client))
    try:
        whales.buildx.build(
            str(directory),
            build_args=dict(arguments),
            secrets=list(secrets),
            tags=tag,
            load=True,
            progress=False,
        )
    except DockerException as error:
        output = (error.stderr or str(error)).strip().splitlines()
        last = "\n  ".join(output[-BUILD_LINES:])
        raise ImageFailed(f"{directory.parent.name}/{directory.name} failed to build:\n  {last}") from error
