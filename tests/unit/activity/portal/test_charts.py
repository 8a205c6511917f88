"""What the charts draw."""

import re
from datetime import datetime, timedelta
from xml.etree.ElementTree import Element, fromstring

import pytest
from activity.portal.charts import MEDIUM, NARROW, WIDE, Chart, ChartSeries, columns, mirrored, spark

MIDNIGHT = datetime(2015, 1, 1)


def chart(*values: float | None, name: str = "events", title: str = "Events") -> Chart:
    times = tuple(MIDNIGHT + timedelta(hours=hour) for hour in range(len(values)))
    held = tuple(0.0 if value is None else 1.0 for value in values)
    return Chart(title, name, "h", times, held, (ChartSeries(name, "first", values),))


def pair(opened: tuple[float | None, ...], merged: tuple[float | None, ...]) -> Chart:
    times = tuple(MIDNIGHT + timedelta(hours=hour) for hour in range(len(opened)))
    lines = (ChartSeries("opened", "first", opened), ChartSeries("merged", "second", merged))
    return Chart("Pull requests", "pull requests", "h", times, (1.0,) * len(opened), lines)


def found(svg: Element, kind: str) -> list[Element]:
    return [element for element in svg.iter() if kind in element.get("class", "").split()]


@pytest.mark.parametrize("frame", [WIDE, MEDIUM, NARROW])
@pytest.mark.parametrize("count", [0, 1, 2, 48, 365])
def test_every_size_of_chart_is_well_formed_and_scales_with_its_room(frame, count):
    svg = fromstring(columns(chart(*range(count)), frame))
    assert svg.get("viewBox") == f"0 0 {frame.width:g} {frame.height:g}"
    assert svg.get("width") is None
    assert len(found(svg, "point")) == count


def test_every_period_can_be_reached_with_the_keyboard_and_says_its_value():
    points = found(fromstring(columns(chart(27, 1), WIDE)), "point")
    assert [point.get("aria-label") for point in points] == [
        "1 Jan 2015, 00:00: 27 events",
        "1 Jan 2015, 01:00: 1 event",
    ]
    assert all(point.get("tabindex") == "0" for point in points)
    assert "1 Jan 2015, 00:00: 27 events" in [text.text for text in points[0].iter("text")]


def test_axes_carry_round_counts_and_times():
    svg = fromstring(columns(chart(*range(48)), WIDE))
    counts = [text.text for text in found(svg, "count")]
    times = [text.text for text in found(svg, "time")]
    assert counts == ["0", "20", "40", "60"]
    assert times == ["1 Jan", "06:00", "12:00", "18:00", "2 Jan", "06:00", "12:00", "18:00"]


def test_columns_are_as_high_as_their_values():
    bars = found(fromstring(columns(chart(10, 5, 0), WIDE)), "bar")
    heights = [float(bar.get("height", "")) for bar in bars]
    assert len(heights) == 2
    assert heights[0] == pytest.approx(2 * heights[1], abs=0.2)


def test_a_period_without_data_is_told_from_one_at_zero():
    svg = fromstring(columns(chart(0, None), WIDE))
    assert [point.get("aria-label") for point in found(svg, "point")] == [
        "1 Jan 2015, 00:00: 0 events",
        "1 Jan 2015, 01:00: no data",
    ]
    assert len(found(svg, "gap")) == 1


def test_a_day_held_in_part_says_so_and_looks_so():
    whole = chart(52)
    part = Chart("Events", "events", "d", whole.times, (2 / 24,), whole.lines)
    svg = fromstring(columns(part, WIDE))
    assert found(svg, "point")[0].get("aria-label") == "1 Jan 2015: 52 events (2 of 24 hours)"
    assert len(found(svg, "part")) == 1


def test_two_series_point_in_two_directions():
    svg = fromstring(mirrored(pair((3, 0), (1, 2)), MEDIUM))
    zero = float(found(svg, "zero")[0].get("y1", ""))
    assert all(float(bar.get("y", "")) < zero for bar in found(svg, "first"))
    assert all(float(bar.get("y", "")) == zero for bar in found(svg, "second"))
    assert found(svg, "point")[0].get("aria-label") == "1 Jan 2015, 00:00: opened 3, merged 1"
    assert "-" not in "".join(text.text or "" for text in found(svg, "count"))


def test_what_the_chart_shows_is_also_one_sentence():
    svg = fromstring(columns(chart(3, 57, 5), WIDE))
    assert svg.get("aria-label") == "Events: events peak 57 (1 Jan 2015, 01:00)"
    empty = fromstring(columns(chart(None), WIDE))
    assert empty.get("aria-label") == "Events: no data in this range"


def test_hostile_names_are_text_and_nothing_else():
    hostile = "</text><script>alert(1)</script>&\x00\x1f\ud800\"'"
    drawing = columns(chart(1, 2, name=hostile, title=hostile), WIDE)
    svg = fromstring(drawing)
    assert not list(svg.iter("script"))
    assert "<script" not in drawing
    assert not re.search("[\x00-\x08\x0b-\x1f]", drawing)
    assert fromstring(spark((1, None), hostile)).get("role") == "img"


def test_a_chart_of_a_great_many_events_stays_readable():
    counts = [text.text for text in found(fromstring(columns(chart(2_400_000_000.0), NARROW)), "count")]
    assert counts == ["0", "1G", "2G", "3G"]


def test_small_columns_keep_their_shape_and_mark_what_is_missing():
    svg = fromstring(spark((4, None, 0, 2), "Push: 6 in total, peak 4"))
    assert [bar.get("height") for bar in found(svg, "bar")] == ["28", "14"]
    assert found(svg, "missing")[0].get("d") == "M4 27.5h3"
    assert svg.get("aria-label") == "Push: 6 in total, peak 4"


def test_no_drawing_needs_a_style_that_the_security_policy_forbids():
    drawing = columns(chart(1, None, 3), WIDE) + mirrored(pair((1,), (1,)), NARROW) + spark((1,), "one")
    assert "style=" not in drawing
    assert "onclick" not in drawing
