"""Sets of organisations and repositories: by exact names in hash sets, by globs, by regular expressions."""

import re
from collections.abc import Callable, Iterable
from fnmatch import translate

from activity.projects import REGEXP

GLOB = re.compile(r"[*?\[]")
Test = Callable[[str], re.Match[str] | None]


class Names:
    """Patterns of a project; one without a slash is an organisation, `regexp:` is sought in either's name.

    Names are given as `folded` returns them.
    """

    def __init__(self, patterns: Iterable[str], case_sensitive: bool) -> None:
        given = tuple(patterns)
        expressions = [pattern.removeprefix(REGEXP) for pattern in given if pattern.startswith(REGEXP)]
        names = [folded(pattern, case_sensitive) for pattern in given if not pattern.startswith(REGEXP)]
        globs = [name for name in names if GLOB.search(name)]
        self.exact = frozenset(name for name in names if not GLOB.search(name))
        self.patterned = bool(globs or expressions)
        # Every name of an hour comes by here once: only what there is to ask is asked.
        searches: tuple[Test, ...] = tuple(
            expression.search for expression in expressions_of(expressions, case_sensitive)
        )
        self._of_organisations: tuple[Test, ...] = (*_any_of(glob for glob in globs if "/" not in glob), *searches)
        self._of_names: tuple[Test, ...] = (*_any_of(glob for glob in globs if "/" in glob), *searches)

    def match(self, organisation: str, name: str) -> bool:
        """Tell whether a repository is meant, by its name (with its organisation's) or its organisation's."""
        return name in self.exact or organisation in self.exact or (self.patterned and self.fits(organisation, name))

    def fits(self, organisation: str, name: str) -> bool:
        """Tell whether a repository is meant by a glob or an expression."""
        for test in self._of_organisations:
            if test(organisation):
                return True
        for test in self._of_names:  # noqa: SIM110 - a generator would cost as much as the tests
            if test(name):
                return True
        return False


def folded(name: str, case_sensitive: bool) -> str:
    """Return a name as it is compared: GitHub's names do not differ in case alone."""
    return name if case_sensitive else name.lower()


def expressions_of(texts: Iterable[str], case_sensitive: bool) -> tuple[re.Pattern[str], ...]:
    """Return regular expressions, compiled one by one: each may have flags and groups of its own."""
    return tuple(re.compile(text, 0 if case_sensitive else re.IGNORECASE) for text in texts)


def found(expressions: tuple[re.Pattern[str], ...], text: str) -> bool:
    """Tell whether any expression finds something in a text."""
    return any(expression.search(text) for expression in expressions)


def _any_of(globs: Iterable[str]) -> tuple[Test, ...]:
    """Return one test for all globs, or none."""
    patterns = [translate(glob) for glob in globs]
    return (re.compile("|".join(patterns)).match,) if patterns else ()
