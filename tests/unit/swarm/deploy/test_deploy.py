import pytest

from swarm.deploy import deploy
from swarm.settings import secrets
from swarm.stacks import stack
from swarm.stacks.targets import Target
from tests.support.secrets import Swarm
from tests.support.sessions import session
from tests.unit.swarm.conftest import Make

EMPTY = Swarm()


def test_a_deploy_makes_the_secrets_that_its_stacks_lack_and_a_dry_one_names_their_files(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = make()
    rendered = [stack.render(environment, Target("admin"))]
    assert not deploy._secrets_made(session(environment, EMPTY), rendered, dry=True)
    said = capsys.readouterr().out
    assert not environment.secrets.exists()
    assert deploy._secrets_made(session(environment, EMPTY), rendered, dry=False)
    for item in rendered[0].secrets:
        file = secrets.file(environment.secrets, item.key)
        assert f"would write {file}" in said.replace("\n", "")
        assert file.exists()
    again = [stack.render(environment, Target("admin"))]
    assert {item.name for item in again[0].secrets}.isdisjoint({item.name for item in rendered[0].secrets})
    assert not deploy._secrets_made(session(environment, EMPTY), again, dry=False)
