"""Patterns for organisations and repositories: exact names in hash sets, globs, regular expressions."""

import re
from collections.abc import Callable, Iterable
from fnmatch import translate

from activity.projects import REGEXP

GLOB = re.compile(r"[*?\[]")
Test = Callable[[str], re.Match[str] | None]


class NamePatterns:
    """Patterns of a project: without a slash for an organisation, else for a repository; `regexp:` searches in both.

    All names are compared in the form that `folded` returns.
    """

    def __init__(self, patterns: Iterable[str], case_sensitive: bool) -> None:
        all_patterns = tuple(patterns)
        expressions = [pattern.removeprefix(REGEXP) for pattern in all_patterns if pattern.startswith(REGEXP)]
        names = [folded(pattern, case_sensitive) for pattern in all_patterns if not pattern.startswith(REGEXP)]
        globs = [name for name in names if GLOB.search(name)]
        self.exact = frozenset(name for name in names if not GLOB.search(name))
        self.patterned = bool(globs or expressions)
        # Every name of an hour is tested once, so only tests that this project needs are made.
        searches: tuple[Test, ...] = tuple(
            expression.search for expression in expressions_of(expressions, case_sensitive)
        )
        self._of_organisations: tuple[Test, ...] = (*_any_of(glob for glob in globs if "/" not in glob), *searches)
        self._of_names: tuple[Test, ...] = (*_any_of(glob for glob in globs if "/" in glob), *searches)

    def match(self, organisation: str, name: str) -> bool:
        """Tell whether a repository matches, by its full name or its organisation."""
        return name in self.exact or organisation in self.exact or (self.patterned and self.fits(organisation, name))

    def fits(self, organisation: str, name: str) -> bool:
        """Tell whether a repository matches a glob or a regular expression."""
        for test in self._of_organisations:
            if test(organisation):
                return True
        for test in self._of_names:  # noqa: SIM110 - a generator would cost as much as the tests
            if test(name):
                return True
        return False


def folded(name: str, case_sensitive: bool) -> str:
    """Return the form of a name to compare: names on GitHub never differ in case alone."""
    return name if case_sensitive else name.lower()


def expressions_of(texts: Iterable[str], case_sensitive: bool) -> tuple[re.Pattern[str], ...]:
    """Compile regular expressions one by one: each may have its own flags and groups."""
    return tuple(re.compile(text, 0 if case_sensitive else re.IGNORECASE) for text in texts)


def any_matches(expressions: tuple[re.Pattern[str], ...], text: str) -> bool:
    """Tell whether any expression matches somewhere in a text."""
    return any(expression.search(text) for expression in expressions)


def _any_of(globs: Iterable[str]) -> tuple[Test, ...]:
    """Return one test for all globs, or none."""
    patterns = [translate(glob) for glob in globs]
    return (re.compile("|".join(patterns)).match,) if patterns else ()
