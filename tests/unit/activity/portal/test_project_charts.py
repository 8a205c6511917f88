"""From stored series to figures, CSV and JSON."""

import csv
from datetime import datetime, timedelta
from io import StringIO

from activity.portal.project_charts import project_chart
from activity.portal.query import Window
from activity.portal.series_table import SeriesTable, as_csv, as_json

START = datetime(2015, 1, 1)


def table(metric, values, held=None, period="h"):
    count = len(next(iter(values.values()), held or ()))
    step = timedelta(hours=1) if period == "h" else timedelta(days=1)
    window = Window(period, START, START + count * step)
    return SeriesTable(metric, window, window.times(), values, held or (1,) * count, None, 0)


def test_events_are_totalled_and_parted_by_type_largest_first():
    shown = project_chart(table("events", {"WatchEvent": (1, 0), "PushEvent": (3, 4)}))
    assert shown.note == "8 events of 2 types"
    assert [(part.name, part.total) for part in shown.parts] == [("Push", 7), ("Watch", 1)]
    assert "1 Jan 2015, 00:00: 4 events (push 3, watch 1)" in shown.drawings[0]


def test_a_table_stands_beside_every_chart_with_every_value():
    shown = project_chart(table("pull_requests", {"opened": (2, None), "merged": (1, None)}, held=(1, 0)))
    assert shown.columns == ("opened", "merged")
    assert shown.rows == ((START, 1, (2, 1)), (START + timedelta(hours=1), 0, (None, None)))
    assert shown.gaps == 1


def test_both_pull_request_series_are_in_the_legend_even_at_zero():
    shown = project_chart(table("pull_requests", {"opened": (0,), "merged": (0,)}))
    assert [(part.name, part.kind) for part in shown.legend] == [("opened", "first"), ("merged", "second")]


def test_no_events_at_all_make_a_figure_too():
    shown = project_chart(table("events", {}, held=(0, 0)))
    assert shown.note == "0 events of 0 types"
    assert shown.gaps == 2


def test_days_held_in_part_are_counted():
    shown = project_chart(table("contributors", {"all": (5, 6)}, held=(24, 2), period="d"))
    assert (shown.incomplete, shown.gaps, shown.note) == (1, 0, "peak 6 per day")


def test_csv_has_a_line_for_each_period_and_nothing_where_nothing_is_held():
    text = as_csv(table("contributors", {"all": (5, None)}, held=(1, 0)))
    assert list(csv.reader(StringIO(text))) == [
        ["time", "hours_held", "all"],
        ["2015-01-01T00:00:00Z", "1", "5"],
        ["2015-01-01T01:00:00Z", "0", ""],
    ]


def test_csv_quotes_a_hostile_series_name():
    rows = list(csv.reader(StringIO(as_csv(table("events", {'a,"b\nc': (1,)})))))
    assert rows[0] == ["time", "hours_held", 'a,"b\nc']


def test_json_names_what_it_holds():
    told = as_json(table("events", {"PushEvent": (3,)}), "apache")
    assert told["from"] == "2015-01-01T00:00:00Z"
    assert told["series"] == [{"name": "PushEvent", "values": [3]}]
    assert (told["project"], told["metric"], told["period"], told["hours_held"]) == ("apache", "events", "h", [1])
