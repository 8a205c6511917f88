import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from swarm.containers import secret_agent

KEY = bytes(range(32))


@pytest.mark.parametrize("size", [0, 1, 77, 100_000])
def test_contents_come_back_byte_by_byte_with_the_key(size: int) -> None:
    contents = {"/run/secrets/one": bytes(number % 251 for number in range(size)), "/run/secrets/two": b"x\n"}
    lines = secret_agent.written(KEY, contents)
    assert max(map(len, lines)) <= secret_agent.LINE
    assert secret_agent.read(KEY, lines) == contents


def test_without_the_key_nothing_can_be_read() -> None:
    lines = secret_agent.written(KEY, {"/run/secrets/one": b"hunter2hunter2"})
    assert "hunter2" not in str(lines)
    assert base64.b64encode(b"hunter2hunter2").decode() not in base64.b64decode("".join(lines)).decode("latin-1")
    with pytest.raises(ValueError):
        secret_agent.read(bytes(32), lines)
    with pytest.raises(ValueError):
        secret_agent.read(KEY, [])


def test_its_text_alone_is_a_program_as_a_task_runs_it(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("hunter2")
    message = tmp_path / "message.json"
    message.write_text(json.dumps({"key": KEY.hex(), "paths": [str(file)]}))
    text = Path(secret_agent.__file__).read_text().replace(secret_agent.MESSAGE, str(message))
    done = subprocess.run((sys.executable, "-c", text), capture_output=True, text=True, check=True)
    assert secret_agent.read(KEY, done.stdout.splitlines()) == {str(file): b"hunter2"}
