"""Hours are downloaded a few ahead, in order; what does not come is left to who reads it; nothing is left over."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from time import monotonic

import httpx
import pytest
from activity.archive.read.open_hour import hour_url
from activity.archive.read.timing import Timing
from activity.archive.schedule.prefetch import Prefetcher
from activity.archive.schedule.task import HourTask
from activity.database.watermarks import Source
from activity.hour import parse_hour
from activity.settings import Archive, Simulate

from tests.support.faulty_server import faulty
from tests.support.waiting import until

FIRST = parse_hour("2015-01-01-0")
QUICK = Timing(silence_seconds=10, first_pause_seconds=0.001, longest_pause_seconds=0.002)
HOURS = [FIRST.shift(number) for number in range(6)]


@pytest.fixture
def folder(tmp_path):
    for number, hour in enumerate(HOURS):
        (tmp_path / f"{hour}.json.gz").write_bytes(Random(number).randbytes(300_000))
    return tmp_path


def archive(url, cache, skip=frozenset()):
    plain = dict.fromkeys(Archive.__dataclass_fields__)
    given = {"url": url, "cache": cache, "skip": skip, "simulate": Simulate.NEVER}
    return Archive(**{**plain, **given})


def tasks(source=Source.ARCHIVE):
    return [HourTask(hour, source, ()) for hour in HOURS]


def content(task):
    return httpx.URL(hour_url(task.prefetched_url, task.hour)).path


def test_hours_come_in_their_order_as_they_are_stored_also_over_connections_that_break(folder):
    with faulty(folder, 4, ("short", "short", "whole", None)) as web:
        with closing(Prefetcher(archive(web.url, folder / "cache"), 3, QUICK)) as prefetcher:
            found = 0
            for place, task in enumerate(prefetcher.prefetch(iter(tasks()))):
                assert task.hour == HOURS[place]
                assert Path(content(task)).read_bytes() == (folder / f"{task.hour}.json.gz").read_bytes()
                assert len(list((folder / "cache").glob("prefetch-*/*.gz"))) <= 3
                prefetcher.release(task)
                found += 1
            assert found == len(HOURS)
            assert web.met["short"] > 0
        assert list((folder / "cache").iterdir()) == []


@pytest.mark.parametrize("fault", ["404", "500"])
def test_what_cannot_be_had_is_left_to_who_reads_it(folder, fault):
    with (
        faulty(folder, 1, (fault,)) as web,
        closing(Prefetcher(archive(web.url, folder / "cache"), 3, QUICK)) as prefetcher,
    ):
        assert list(prefetcher.prefetch(iter(tasks()))) == tasks()
        assert web.met[fault] == len(HOURS)
        assert list((folder / "cache").glob("prefetch-*/*")) == []


def test_nothing_is_downloaded_that_is_skipped_simulated_or_on_this_machine_or_without_a_place_for_it(folder):
    (folder / "file").write_text("")
    with faulty(folder, 1, (None,)) as web:
        for made, wanted in (
            (archive(web.url, folder / "cache", frozenset(HOURS)), tasks()),
            (archive(web.url, folder / "cache"), tasks(Source.SIMULATED)),
            (archive(folder.as_uri(), folder / "cache"), tasks()),
            (archive(web.url, folder / "file" / "cache"), tasks()),
        ):
            with closing(Prefetcher(made, 3, QUICK)) as prefetcher:
                assert list(prefetcher.prefetch(iter(wanted))) == wanted
        assert web.met.total() == 0


def test_a_server_that_falls_silent_holds_up_the_end_no_longer_than_its_time(folder):
    with faulty(folder, 1, ("silent",)) as web:
        web.silence = 60
        prefetcher = Prefetcher(archive(web.url, folder / "cache"), 2, replace(QUICK, silence_seconds=0.5))
        prefetcher._threads.submit(prefetcher._download, prefetcher._folder, tasks()[0])
        until("a download", lambda: web.met["silent"])
        began = monotonic()
        prefetcher.close()
        assert monotonic() - began < 10
        assert list((folder / "cache").iterdir()) == []
