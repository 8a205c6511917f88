"""Jinja2, strict: what is undefined is an error that names file, line and variable."""

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2

from swarm.errors import TemplateInvalid

# `{{.Node.ID}}` can never be Jinja2 (no expression starts with a dot): it is Swarm's own template and stays.
SWARM_TEMPLATE = re.compile(r"\{\{(\s*\.[^{}]*)\}\}")


class _Loader(jinja2.FileSystemLoader):
    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, name, fresh = super().get_source(environment, template)
        return SWARM_TEMPLATE.sub(r"{% raw %}{{\1}}{% endraw %}", source), name, fresh


def render(directory: Path, file: str, variables: Mapping[str, Any], shown: str) -> str:
    """Render `directory/file`; `shown` is how the directory is named in errors."""
    try:
        return _environment(directory).get_template(file).render(variables)
    except jinja2.TemplateNotFound as error:
        raise TemplateInvalid(f"{shown}/{error.name}: file not found.") from error
    except jinja2.TemplateSyntaxError as error:
        raise TemplateInvalid(f"{shown}/{error.name or file}:{error.lineno}: {error.message}.") from error
    except (jinja2.UndefinedError, TypeError, ValueError, KeyError, ArithmeticError) as error:
        where = _where(error, directory, file)
        known = ", ".join(sorted(name for name in variables))
        raise TemplateInvalid(f"{shown}/{where}: {error}.", hint=f"Known here: {known}.") from error


@lru_cache
def _environment(directory: Path) -> jinja2.Environment:
    """One for each folder, so that a template rendered for each project is compiled once."""
    environment = jinja2.Environment(
        loader=_Loader(directory),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    environment.filters["json"] = lambda value: json.dumps(value, sort_keys=True)
    environment.filters["pretty"] = lambda value: json.dumps(value, sort_keys=True, indent=1)
    return environment


def _where(error: BaseException, directory: Path, file: str) -> str:
    """The innermost template line of a traceback, which Jinja2 rewrites to template files."""
    place, traceback = file, error.__traceback__
    while traceback is not None:
        name = Path(traceback.tb_frame.f_code.co_filename)
        if name.is_relative_to(directory):
            place = f"{name.relative_to(directory)}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place
