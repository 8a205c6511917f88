"""Errors: one tree, drawn where it begins, with exit codes that tell them apart."""

import inspect
import re

from activity import errors


def tree(kind):
    return [kind, *(found for below in kind.__subclasses__() for found in tree(below))]


def of_this_module(kind):
    return kind.__module__ == errors.__name__


def test_the_drawing_names_every_error_with_its_exit_code():
    drawn = dict(re.findall(r"(\w+) +(\d+)  ", errors.__doc__))
    found = {kind.__name__: str(kind.exit_code) for kind in tree(errors.ActivityError) if of_this_module(kind)}
    assert drawn == found


def test_exit_codes_are_distinct_but_for_kinds_of_the_same():
    codes = [kind.exit_code for kind in errors.ActivityError.__subclasses__() if of_this_module(kind)]
    assert sorted(codes) == [64, 66, 69, 70, 71, 72, 75, 78, 143]


def test_every_error_says_what_it_is_for():
    assert all(inspect.getdoc(kind) for kind in tree(errors.ActivityError))


def test_messages_end_with_what_to_do_next():
    assert str(errors.TruncatedHour("u", "p")).endswith("Replace the file and run again.")
    assert str(errors.ArchiveUnreachable("u", "p")).endswith("Check ACTIVITY_ARCHIVE_URL and the network.")
