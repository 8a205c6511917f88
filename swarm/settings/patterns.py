"""How projects.yaml names organisations, repositories and people: exactly, by a glob, or by `regexp:`."""

import re
from typing import Annotated

from pydantic import AfterValidator

REGEXP = "regexp:"
GLOB = r"[A-Za-z0-9_.*?\[\]!-]+"
NAME = r"[A-Za-z0-9_.-]+"


def _organisation(text: str) -> str:
    if text.startswith(REGEXP):
        return _regexp(text)
    if "/" in text:
        raise ValueError(f"expected an organisation, found the repository {text!r}; it belongs under repositories")
    if not re.fullmatch(GLOB, text):
        raise ValueError(f"expected an organisation, a glob such as kube-*, or regexp:^kube, found {text!r}")
    return text


def _repository(text: str) -> str:
    if text.startswith(REGEXP):
        return _regexp(text)
    if not re.fullmatch(f"{GLOB}/{GLOB}", text):
        raise ValueError(
            f"expected ORGANISATION/REPOSITORY, a glob such as apache/spark*, or regexp:^apache/, found {text!r}"
        )
    return text


def _excluded(text: str) -> str:
    return _repository(text) if "/" in text else _organisation(text)


def _plain(text: str) -> str:
    if not re.fullmatch(f"{NAME}(/{NAME})?", text):
        raise ValueError(f"expected an organisation or ORGANISATION/REPOSITORY as it was named, found {text!r}")
    return text


def _regexp(text: str) -> str:
    _expression(text.removeprefix(REGEXP))
    return text


def _expression(text: str) -> str:
    if not text:
        raise ValueError("expected a regular expression, found nothing")
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error
    return text


Organisation = Annotated[str, AfterValidator(_organisation)]
Repository = Annotated[str, AfterValidator(_repository)]
Excluded = Annotated[str, AfterValidator(_excluded)]
Plain = Annotated[str, AfterValidator(_plain)]
Expression = Annotated[str, AfterValidator(_expression)]
