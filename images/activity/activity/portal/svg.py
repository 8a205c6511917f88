"""SVG elements: numbers kept short, text always escaped, so that a drawing is well-formed whatever it says."""

import re
from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

# What XML 1.0 cannot carry, not even escaped.
_UNSPEAKABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Attribute = str | float


def picture(width: float, height: float, **attributes: Attribute) -> Element:
    """An SVG that fills the width it is given."""
    return Element("svg", _written({"viewBox": f"0 0 {width:g} {height:g}", **attributes}))


def add(parent: Element, tag: str, text: str = "", **attributes: Attribute) -> Element:
    """A child element; underscores in names become hyphens, and `class_` is class."""
    child = SubElement(parent, tag, _written(attributes))
    child.text = _UNSPEAKABLE.sub("", text) or None
    return child


def markup(svg: Element) -> Markup:
    """The drawing, ready to stand in a page: ElementTree has escaped every text and attribute."""
    return Markup(tostring(svg, encoding="unicode"))


def _written(attributes: dict[str, Attribute]) -> dict[str, str]:
    return {name.rstrip("_").replace("_", "-"): _value(value) for name, value in attributes.items()}


def _value(value: Attribute) -> str:
    return _UNSPEAKABLE.sub("", value) if isinstance(value, str) else f"{round(value, 1):g}"
