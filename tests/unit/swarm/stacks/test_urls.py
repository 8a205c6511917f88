import pytest

from swarm.errors import UnknownName
from swarm.stacks import urls
from tests.unit.swarm.conftest import Make


@pytest.mark.parametrize(
    ("word", "url"),
    [
        ("", "http://example.test"),
        ("admin", "http://example.test"),
        ("Portal", "http://example.test"),
        ("traefik dashboard", "http://traefik.example.test"),
        ("apache", "http://apache.example.test"),
        ("app", "http://app.example.test"),
    ],
)
def test_an_address_is_found_by_stack_project_or_title(make: Make, word: str, url: str) -> None:
    assert urls.find(make(), word)[1] == url


def test_an_unknown_page_gives_the_nearest(make: Make) -> None:
    with pytest.raises(UnknownName, match=r'No page "apach". Did you mean apache'):
        urls.find(make(), "apach")
