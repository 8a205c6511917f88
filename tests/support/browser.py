"""Headless Chromium, for what only a browser sees; host names under the lab's domain are sent to this machine."""

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP *.localhost 127.0.0.1",
)  # fmt: skip


def program() -> str:
    """Chromium's path; absent, it is named as left out, and demanded where CI=true."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        message = "no Chromium on this machine: what a browser shows is left out (apt-get install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


def document(url: str) -> str:
    """The page as it stands after loading, as HTML."""
    return _run("--dump-dom", url)


def screenshot(url: str, file: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
    """A picture of the page as PNG."""
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    _run(f"--screenshot={file}", f"--window-size={width},{height}", scheme, url)
    assert file.stat().st_size > 5_000


def _run(*words: str) -> str:
    with TemporaryDirectory(prefix="chromium-") as profile:
        argv = (program(), *FLAGS, f"--user-data-dir={profile}", *words)
        done = subprocess.run(argv, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
