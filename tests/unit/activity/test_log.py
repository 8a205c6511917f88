"""One line for each thing that happened, whatever is in it."""

import re

from activity import log


def test_a_line_has_time_level_words_and_values(capsys):
    log.info("hour read", hour="2015-01-01-0", events=52, seconds=0.12345, project=None)
    line = capsys.readouterr().err
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ info hour read hour=2015-01-01-0 events=52 seconds=0.123\n", line
    )


def test_values_and_words_of_several_lines_stay_on_one(capsys):
    log.warning("two\nlines", error='a "b"\nc', empty="")
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert line.endswith('warning two lines error="a \\"b\\"\\nc" empty=""\n')
