import pytest

from swarm.errors import UnknownName
from swarm.stacks import targets
from tests.unit.swarm.conftest import ENV, PROJECTS, Make

MORE = PROJECTS + "  cachethq: {organisations: [cachethq]}\n  apisix: {organisations: [api7]}\n"


def names(make: Make, words: str, projects: str) -> list[str]:
    return [target.name for target in targets.select(make(ENV, MORE), words, projects)]


def test_patterns_leave_the_projects_that_match_and_nothing_but_projects(make: Make) -> None:
    assert names(make, "all", "a*") == ["apache", "apisix"]


def test_an_exclusion_wins_wherever_it_stands(make: Make) -> None:
    assert names(make, "project", "a*,!apache") == names(make, "project", "!apache, a*") == ["apisix"]


def test_exclusions_alone_mean_all_others(make: Make) -> None:
    assert names(make, "all", "!a*") == ["rust-lang", "cachethq"]


def test_patterns_apply_to_the_projects_that_the_words_mean(make: Make) -> None:
    assert names(make, "apache,rust-lang", "*a*") == ["apache", "rust-lang"]


@pytest.mark.parametrize("patterns", ["apahce", "a*,!apahce"])
def test_a_pattern_that_matches_no_project_gives_the_nearest_names(make: Make, patterns: str) -> None:
    with pytest.raises(UnknownName, match=r'No project "apahce"\. Did you mean apache\?'):
        names(make, "all", patterns)


def test_patterns_that_leave_nothing_are_an_error(make: Make) -> None:
    with pytest.raises(UnknownName, match=r'No project of all with "a\*,!a\*"'):
        names(make, "all", "a*,!a*")
    with pytest.raises(UnknownName, match=r'No project of admin with "a\*"'):
        names(make, "admin", "a*")


def test_every_target_is_found_by_the_name_of_its_stack(make: Make) -> None:
    known = targets.with_template(make())
    assert known["db"] == targets.Target("db")
    assert known["rust-lang"].template == "project"
