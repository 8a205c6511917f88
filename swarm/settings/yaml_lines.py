"""In which line of a YAML text a key or its value stands."""

import yaml

Location = tuple[int | str, ...]


def key_line(root: yaml.Node | None, location: Location) -> int:
    """The line, from 1 on, of the key of the deepest part of a location that is there."""
    return _deepest(root, location)[0]


def value_line(root: yaml.Node | None, location: Location) -> int | None:
    """The line, from 1 on, of the value of the deepest part of a location that is there; None in an empty text."""
    value = _deepest(root, location)[1]
    return value.start_mark.line + 1 if value else None


def _deepest(root: yaml.Node | None, location: Location) -> tuple[int, yaml.Node | None]:
    found, node = 1, root
    for part in location:
        step = _step(node, part)
        if step is None:
            break
        found, node = step
    return found, node


def _step(node: yaml.Node | None, part: str | int) -> tuple[int, yaml.Node] | None:
    """Line and value below a key, an index, or the `KEY=value` of a list."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
        merged = [value for key, value in node.value if key.value == "<<"]
        inherited = [one for value in merged for one in (value.value if _is_list(value) else [value])]
        return next((found for one in inherited if (found := _step(one, part))), None)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            named = item.value.partition("=")[0] if isinstance(item, yaml.ScalarNode) else None
            if part in (index, named):
                return item.start_mark.line + 1, item
    return None


def _is_list(node: yaml.Node) -> bool:
    return isinstance(node, yaml.SequenceNode)
