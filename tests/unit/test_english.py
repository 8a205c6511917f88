"""User-facing strings keep to the words that Docker's, Kubernetes's and Postgres's documentation use."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = ("swarm", "verbs", "images/activity/activity")
TEMPLATES = "images/activity/activity/portal/templates"
# Phrase -> what to write instead.
PHRASES = {
    r"(?<!there )(?:is|are) no (?!longer\b)": "is not a (valid)",
    r"no (?:\w+ )?any ?more": "no longer",
    r"goes? back|going back": "roll back",
    r"anew|afresh": "again",
    r"lack(?:s|ing)?": "missing",
    r"unwell": "unhealthy",
    r"besides?": "next to, in addition to",
    r"nobody|somebody|anybody|whoever": "name the role, e.g. another client",
    r"told": "reported, output",
    r"what (?:came|becomes?|became) of": "result",
    r"com(?:e|es|ing) to be": "is created",
    r"by itself": "automatically",
    r"(?:go|goes|gone|going) along": "follow",
    r"all the same": "anyway",
    r"(?:under way|underway)": "running",
}
BANNED = {re.compile(rf"\b(?:{phrase})(?:\b|(?<= ))", re.IGNORECASE): advice for phrase, advice in PHRASES.items()}
TAG = re.compile(r"<[^>]*>|{[{%#].*?[}%#]}", re.DOTALL)


def docstring(node: ast.AST) -> ast.expr | None:
    """The docstring of a module, class or function."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            return first.value
    return None


def is_verb(node: ast.AST) -> bool:
    """Whether a function is a verb, whose docstring is its help."""
    return isinstance(node, ast.FunctionDef) and any("verb" in ast.unparse(item) for item in node.decorator_list)


def strings(text: str) -> Iterator[tuple[int, str]]:
    """Line and content of each string of a module, without the docstrings that only readers of the code see."""
    nodes = list(ast.walk(ast.parse(text)))
    hidden = [docstring(node) for node in nodes if not is_verb(node)]
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in hidden:
            yield node.lineno, node.value


def docstrings(text: str) -> Iterator[tuple[int, str]]:
    """Line and content of each docstring of a module."""
    for node in ast.walk(ast.parse(text)):
        found = docstring(node)
        if isinstance(found, ast.Constant) and isinstance(found.value, str):
            yield found.lineno, found.value


def template_lines(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of each line of a page, without its tags and expressions."""
    # A tag may span lines; they are kept, so that numbers stay right.
    bare = TAG.sub(lambda tag: " " + "\n" * tag[0].count("\n"), text)
    return enumerate(bare.splitlines(), 1)


def complaints(place: str, texts: Iterable[tuple[int, str]]) -> list[str]:
    """`file:line: phrase` for each old phrase; a string without a space is a key or a name."""
    return [
        f"{place}:{line}: {match[0].strip()!r}; rather: {advice}"
        for line, text in texts
        if " " in text.strip()
        for pattern, advice in BANNED.items()
        for match in pattern.finditer(text)
    ]


@pytest.mark.parametrize("folder", CODE)
def test_no_message_has_an_old_phrase(folder: str) -> None:
    paths = sorted((ROOT / folder).rglob("*.py"))
    found = [line for path in paths for line in complaints(str(path.relative_to(ROOT)), strings(path.read_text()))]
    assert paths
    assert not found, "\n".join(found)


@pytest.mark.parametrize("folder", ["swarm", "verbs"])
def test_no_docstring_has_an_old_phrase(folder: str) -> None:
    paths = sorted((ROOT / folder).rglob("*.py"))
    found = [line for path in paths for line in complaints(str(path.relative_to(ROOT)), docstrings(path.read_text()))]
    assert paths
    assert not found, "\n".join(found)


def test_no_page_has_an_old_phrase() -> None:
    paths = sorted((ROOT / TEMPLATES).glob("*.html"))
    found = [line for path in paths for line in complaints(path.name, template_lines(path.read_text()))]
    assert paths
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ('raise E(f"{x!r} is no number.")', "'is no'"),
        ('say("what fails goes back")', "'goes back'"),
        ('say(f"{x} is changed by somebody else")', "'somebody'"),
        ('@verb(help={})\ndef f():\n    """Copy a member anew."""', "'anew'"),
        ('LABELS = {"x": "the image that a node lacks"}', "'lacks'"),
    ],
)
def test_an_old_phrase_is_found_with_its_place(text: str, phrase: str) -> None:
    (found,) = complaints("a.py", strings(text))
    assert complaints("a.py", docstrings('"""A member is copied anew."""')) == ["a.py:1: 'anew'; rather: again"]
    assert found.startswith(f"a.py:{text.count(chr(10)) + 1}: {phrase}; rather: ")


def test_plain_english_keys_and_docstrings_pass() -> None:
    text = '"""Whoever reads."""\nx = ["told", "There is no dump of x.", f"{y} is no longer there", "rolled back"]'
    assert complaints("a.py", strings(text)) == []
    assert complaints("p.html", template_lines("<p class='is no'>{{ told | x }} It is back.</p>")) == []
    assert complaints("p.html", template_lines("<p>\nIt goes\n back by itself</p>")) == [
        "p.html:3: 'by itself'; rather: automatically"
    ]
