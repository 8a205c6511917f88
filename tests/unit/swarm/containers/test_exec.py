import pytest

from swarm.containers import exec
from swarm.containers.exec import ContainerLocation
from swarm.engine.client import Engine
from swarm.errors import ArgumentInvalid, CommandFailed, UnknownName
from tests.support.services import NOW, service, task

PLACE = ContainerLocation(Engine(host="unix:///node-2.sock"), "c0ffee")


@pytest.mark.parametrize(
    "words",
    [("ls", "/"), ("sh", "-c", "echo 'a  b' | wc"), ("echo", "", "$HOME", "--", "x"), ("psql", "-c", "select 'ü'")],
)
def test_the_command_after_two_dashes_comes_word_by_word_as_it_was_given(words: tuple[str, ...]) -> None:
    assert exec.argv(" ".join(words), ("invoke", "exec", "app/nginx", "--", *words)) == words


def test_a_command_that_did_not_come_from_this_process_is_split_as_a_shell_would() -> None:
    assert exec.argv("echo 'a b'", ("pytest", "-q")) == ("echo", "a b")


def test_without_a_command_there_is_a_shell_for_people_and_an_error_for_scripts() -> None:
    assert exec.argv("", ("invoke", "exec", "-i", "app/nginx"), interactive=True) == ("sh",)
    with pytest.raises(ArgumentInvalid, match="Missing command"):
        exec.argv("", ("invoke", "exec", "app/nginx"))


def test_the_interactive_command_goes_to_the_engine_of_the_node() -> None:
    assert exec.command(PLACE, ("psql", "-d", "apache"), user="postgres", terminal=True) == (
        "docker", "--host", "unix:///node-2.sock", "exec", "--interactive", "--tty", "--user", "postgres", "c0ffee",
        "psql", "-d", "apache",
    )  # fmt: skip
    assert "--tty" not in exec.command(PLACE, ("cat",), user="", terminal=False)


def test_the_newest_healthy_task_is_taken_unless_another_is_asked_for() -> None:
    older = task("aaa", slot="1", node="node-1")
    newer = task("bbb", slot="2", node="node-2", created=NOW.replace(hour=13))
    leaving = task("ccc", slot="3", node="node-3", created=NOW.replace(hour=14), desired="shutdown")
    found = service("app_nginx", newer, leaving, older)
    assert exec._choose(found, None) is newer
    for word in ("1", "node-1", "aa"):
        assert exec._choose(found, word) is older
    with pytest.raises(UnknownName, match="node-3"):
        exec._choose(found, "node-3")


def test_a_service_without_a_running_task_says_so() -> None:
    with pytest.raises(CommandFailed, match="app_nginx has no running task"):
        exec._choose(service("app_nginx", task(state="starting")), None)
