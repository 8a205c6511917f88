from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from swarm.engine.client import Engine
from swarm.host import prerequisites
from swarm.report import Report, Step
from swarm.settings.environment import Environment
from swarm.shell import RecordingShell
from swarm.stacks import images
from swarm.stacks.images import Image
from tests.support.waiting import until
from tests.unit.swarm.conftest import Make

HERE = "r/here:1"
PUSHED = "r/pushed:1"
WANTED = [Image(name, f"r/{name}:1", Path("images") / name) for name in ("here", "pushed", "new")]
THEIRS = Image("grafana", "grafana/grafana:1", None)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine and the registry have one image each, and nobody builds or pushes."""
    monkeypatch.setattr(images, "exists_locally", lambda _, item: item.reference == HERE)
    monkeypatch.setattr(images, "is_pushed", lambda _, item: item.reference == PUSHED)
    monkeypatch.setattr(Engine, "build", None)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.strip() for line in capsys.readouterr().out.splitlines()]


def test_a_dry_build_names_what_it_would_build_and_on_what(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    shell = RecordingShell()
    images.build(make(), [*WANTED, THEIRS], shell, Report(), dry=True)
    base, new = lines(capsys)
    assert base.startswith("would build swarmstats/base:")
    assert new == "would build r/new:1"
    assert shell.ran == []


def test_a_dry_build_of_what_is_there_says_so(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    images.build(make(), WANTED[:2], RecordingShell(), Report(), dry=True)
    assert lines(capsys) == ["nothing to build"]


def test_a_dry_push_names_what_the_registry_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    images.push([*WANTED, THEIRS], Report(), dry=True)
    assert lines(capsys) == ["would push r/here:1", "would push r/new:1"]


def test_images_of_the_lab_have_their_names_though_nothing_is_built(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    found = images.ensure_local(make(), ("node",), RecordingShell(), Report(), dry=True)
    assert found["node"].startswith("127.0.0.1:5000/swarmstats/node:")
    assert lines(capsys)[-1] == f"would build {found['node']}"


def test_an_image_that_is_made_of_others_changes_with_them(tmp_path: Path) -> None:
    for name in ("base", "postgres", "backup"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\n")
    (tmp_path / "backup" / "Dockerfile").write_text("ARG BASE\nARG POSTGRES\nARG VERSION=1\nFROM ${POSTGRES}\n")
    assert images.parts(tmp_path / "backup") == ("postgres",)
    before = images.tag(tmp_path / "backup")
    (tmp_path / "postgres" / "start").write_text("another")
    images.tag.cache_clear()
    assert images.tag(tmp_path / "backup") != before


def test_an_image_is_built_after_those_it_is_made_of(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    images.build(make(), [images.image(make(), "backup")], RecordingShell(), Report(), dry=True)
    built = [line.rpartition("/")[2].partition(":")[0] for line in lines(capsys)]
    assert sorted(built[:-1]) == ["activity", "base", "postgres"]
    assert built[-1] == "backup"


def test_two_that_build_at_once_make_one_base(make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(prerequisites, "ensure_builder", lambda *_: ())
    monkeypatch.setattr(images, "debian", lambda *_: "debian")
    built: list[str] = []
    notes: list[str] = []
    monkeypatch.setattr(Step, "note", lambda _, text: notes.append(text))
    begun, other = Event(), Event()

    def build(_: Environment, item: Image, *__: object) -> None:
        if item.name == "base":
            begun.set()
            assert other.wait(10)
        built.append(item.reference)

    monkeypatch.setattr(images, "_build", build)
    monkeypatch.setattr(images, "exists_locally", lambda _, item: item.reference in built)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(images.build, make(), WANTED[:1], RecordingShell(), Report())
        assert begun.wait(10)
        second = pool.submit(images.build, make(), WANTED[2:], RecordingShell(), Report())
        until("the second to wait", lambda: "waiting for another build on this machine" in notes)
        other.set()
        first.result(10)
        second.result(10)
    assert sorted(item.rpartition("/")[2].partition(":")[0] for item in built) == ["base", "here", "new"]
