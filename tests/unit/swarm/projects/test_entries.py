import pytest

from swarm.errors import ArgumentInvalid, EnvironmentInvalid, ProjectExists, UnknownName
from swarm.projects import entries
from swarm.projects.entries import NewProject
from swarm.settings import environment
from tests.unit.swarm.conftest import Make

KUBERNETES = NewProject("kubernetes", ("kubernetes", "kube-*"), ("a/b",), "2014-06-06", "CNCF", "Kubernetes")


def again(made: environment.Environment) -> environment.Environment:
    return environment.load(made.name, {"SWARMSTATS_ENVS": str(made.directory.parent)})


def test_a_project_is_added_once_and_found_with_all_that_was_said(make: Make) -> None:
    made = make()
    assert entries.add(made, KUBERNETES)
    project = again(made).projects.get("kubernetes")
    assert (project.organisations, project.repositories) == (("kubernetes", "kube-*"), ("a/b",))
    assert (project.start.isoformat(), project.foundation, project.display_name) == ("2014-06-06", "CNCF", "Kubernetes")
    before = entries.file(made).read_text()
    assert not entries.add(again(made), KUBERNETES)
    assert not entries.add(again(made), NewProject("kubernetes"))
    assert entries.file(made).read_text() == before


def test_a_project_that_is_there_as_something_else_is_refused(make: Make) -> None:
    made = make()
    with pytest.raises(ProjectExists, match="apache already exists with another organisations"):
        entries.add(made, NewProject("apache", ("other",)))


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (NewProject("Apache2", ("a",)), r"projects\.yaml:\d+: projects\.Apache2"),
        (NewProject("db", ("a",)), r"projects\.db: a stack has this name"),
        (NewProject("new"), r"projects\.new: needs organisations or repositories"),
        (NewProject("new", ("a/b",)), r"projects\.new\.organisations\[0\]"),
        (NewProject("new", ("regexp:(",)), r"is not a regular expression"),
    ],
)
def test_mistakes_are_told_with_their_place_and_the_file_stays_as_it_was(
    make: Make, wanted: NewProject, words: str
) -> None:
    made = make()
    before = entries.file(made).read_text()
    with pytest.raises(EnvironmentInvalid, match=words):
        entries.add(made, wanted)
    assert entries.file(made).read_text() == before
    assert {path.name for path in made.directory.iterdir()} == {"env.yaml", "projects.yaml"}


def test_a_start_that_is_no_day_is_said_to_be_none(make: Make) -> None:
    with pytest.raises(ArgumentInvalid, match="'2015' is not a valid date"):
        entries.add(make(), NewProject("new", ("a",), start="2015"))


def test_a_dry_run_judges_and_writes_nothing(make: Make) -> None:
    made = make()
    before = entries.file(made).read_text()
    assert entries.add(made, KUBERNETES, dry=True)
    entries.remove(made, "apache", dry=True)
    assert entries.file(made).read_text() == before


def test_a_project_is_removed_and_one_that_is_not_there_names_the_nearest(make: Make) -> None:
    made = make()
    entries.remove(made, "apache")
    assert again(made).projects.names == ("rust-lang",)
    with pytest.raises(UnknownName, match="rust-lang"):
        entries.remove(again(made), "rust-lan")


def test_an_environment_without_projects_gets_its_first(make: Make) -> None:
    made = make()
    entries.file(made).unlink()
    assert entries.add(again(made), NewProject("first", ("a",)))
    assert again(made).projects.names == ("first",)
