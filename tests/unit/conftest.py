"""What unit tests are not given: an engine, though this machine may have one."""

import pytest

NOWHERE = "unix:///there/is/no/engine/for/unit/tests.sock"


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for an engine is told that there is none, on every machine alike."""
    monkeypatch.setenv("DOCKER_HOST", NOWHERE)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
