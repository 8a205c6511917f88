"""Each metric has a description beside its SQL, and each query a sentence that says what it is."""

from importlib.resources import files

from activity.series.catalogue import metrics


def test_the_metrics_of_the_first_slice_are_there_in_order():
    assert [metric.name for metric in metrics()] == ["events", "contributors", "pull_requests"]
    for metric in metrics():
        assert metric.title
        assert metric.unit
        assert metric.description.endswith(".")
        assert "from touched" in metric.sql


def sql_files(folder):
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from sql_files(entry)
        elif entry.name.endswith(".sql"):
            yield entry


def test_every_query_begins_with_a_sentence_of_comment():
    found = list(sql_files(files("activity.sql")))
    assert len(found) > 30
    for file in found:
        first = file.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("-- "), file.name
        assert first[3].isupper(), file.name
