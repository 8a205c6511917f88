"""What all tiers share: `--long` for faults and soaks in full, and the real hours beside the checkout."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A loaded machine is slow, not wrong; the same cases every time, and more of them with --long.
SLOW = (HealthCheck.too_slow,)
settings.register_profile("short", deadline=None, suppress_health_check=SLOW, derandomize=True)
settings.register_profile("long", deadline=None, suppress_health_check=SLOW, max_examples=2000)

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="faults and soaks in full")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("long" if config.getoption("--long") else "short")


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether faults and soaks run in full."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real hours of GH Archive; demanded where CI=true, named as left out elsewhere."""
    if not SHARED_DATA.is_dir():
        message = f"{SHARED_DATA} is not there: the cases on real hours are left out"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return SHARED_DATA
