"""The files that pages refer to, and the colours they are read in."""

import re

import pytest
from activity.portal.assets import asset_at, asset_url, assets


def test_an_address_carries_the_content_of_its_file():
    url = asset_url("portal.css")
    assert re.fullmatch(r"/static/portal\.[0-9a-f]{12}\.css", url)
    found = asset_at(url)
    assert found is not None
    assert found.media_type == "text/css"


def test_an_address_of_other_content_is_not_served():
    assert asset_at("/static/portal.000000000000.css") is None


def test_the_files_stay_small():
    assert sum(len(asset.body) for asset in assets().values()) < 30_000


def test_nothing_is_fetched_from_elsewhere():
    for name, asset in assets().items():
        text = asset.body.decode().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|@import|url\(", text), name


def colours(scheme):
    roots = re.findall(r":root \{(.*?)\}", assets()["portal.css"].body.decode(), re.S)
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})\b(?![0-9a-f])", root)) for root in roots)
    return light if scheme == "light" else dark


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back"),
    [
        ("ink", "paper"), ("ink", "wash"), ("quiet", "paper"), ("quiet", "raised"), ("accent", "paper"),
        ("accent", "wash"), ("warn-ink", "warn-paper"), ("warn-ink", "paper"),
    ],
)  # fmt: skip
def test_text_and_marks_pass_wcag_aa_in_light_and_dark(scheme, front, back):
    palette = colours(scheme)
    assert contrast(palette[front], palette[back]) >= 4.5
