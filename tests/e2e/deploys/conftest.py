"""A copy of the checkout for the tests of a file, which change it at will."""

from collections.abc import Iterator
from typing import Any

import pytest

from swarm.deploy import prune
from tests.e2e.conftest import Platform
from tests.e2e.support.checkout import STACK, Checkout


@pytest.fixture(scope="module")
def copied(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    made = Checkout.copied(tmp_path_factory.mktemp("copied") / "checkout", platform)
    yield made
    made.run("clean", STACK, "--yes")
    # The next copy has other secrets and a history of its own.
    prune.prune_versions(platform.engine, gone=[STACK])


@pytest.fixture
def checkout(copied: Checkout) -> Iterator[Checkout]:
    """A copy of the checkout; afterwards the demo application is as it was."""
    before = application(copied)
    yield copied
    copied.say()
    if application(copied) != before:
        copied.run("deploy", "app")


def application(checkout: Checkout) -> Any:
    """What runs of the demo application."""
    found = checkout.platform.engine.services.get("app_nginx")
    return found and found["Spec"]
