"""Hours of any size have the archive's shapes, are the same each time, and can be damaged as the archive's are."""

import gzip
import json
import threading
from collections import Counter
from datetime import UTC, datetime

import pytest
from activity.archive.read.reader import HourReader
from activity.archive.route.route import Route
from activity.archive.rows.since_2015 import rows_since_2015
from activity.archive.simulate.events import EVENT_MIX
from activity.errors import TruncatedHour
from activity.hour import parse_hour
from activity.projects import Project

from tests.support.load_hours.damage import Damage, DamageKind
from tests.support.load_hours.event_factory import Shape
from tests.support.load_hours.hours import Volume, lines_of, write_volume

HOUR = parse_hour("2024-05-14-15")
NAMES = ("kube/kube", "etcd-io/etcd")
PROJECT = Project("kube", "", "", ("kube",), ("etcd-io/etcd",), (), datetime(2015, 1, 1, tzinfo=UTC), "kube")
FAT, SLIM = (Volume(shape, 1500, 1, NAMES, 0.05) for shape in Shape)


def read(path, salvage=False):
    reader = HourReader(path.as_uri(), Route([PROJECT]), threading.Event(), salvage=salvage)
    return list(reader), reader


def ids(lines):
    return [line.event["id"] for line in lines]


@pytest.mark.parametrize("volume", [FAT, SLIM])
def test_an_hour_is_the_same_each_time_and_another_with_another_seed(volume, tmp_path):
    for name in ("one", "two"):
        assert write_volume(tmp_path / name, volume, HOUR) == 1500
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    other = Volume(volume.shape, 1500, 2, NAMES, 0.05)
    assert list(lines_of(other, HOUR)) != list(lines_of(volume, HOUR))


def test_the_types_and_sizes_are_those_of_the_archive():
    for volume, low, high in ((Volume(Shape.FAT, 6000), 3000, 4400), (Volume(Shape.SLIM, 6000), 1000, 1700)):
        lines = list(lines_of(volume, HOUR))
        assert low < sum(map(len, lines)) / len(lines) < high
        kinds = Counter(json.loads(line)["type"] for line in lines)
        assert kinds.keys() == EVENT_MIX.keys()
        assert 0.5 < kinds["PushEvent"] / len(lines) < 0.6
        assert 0.04 < kinds["PullRequestEvent"] / len(lines) < 0.08


def test_pushes_have_no_commits_and_pull_requests_no_title_since_october_2025():
    for volume, told in ((FAT, True), (SLIM, False)):
        events = [json.loads(line) for line in lines_of(volume, HOUR)]
        assert all(("commits" in event["payload"]) is told for event in events if event["type"] == "PushEvent")
        pulls = [event["payload"]["pull_request"] for event in events if event["type"] == "PullRequestEvent"]
        assert pulls
        assert all(("title" in pull) is told for pull in pulls)


@pytest.mark.parametrize("volume", [FAT, SLIM])
def test_every_event_becomes_rows_is_of_its_hour_and_read_by_the_quick_look(volume, tmp_path):
    path = tmp_path / "hour.json.gz"
    write_volume(path, volume, HOUR)
    events = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert all(rows_since_2015(event) for event in events)
    assert all(event["created_at"].startswith("2024-05-14T15:") for event in events)
    assert len({event["id"] for event in events}) == len(events)
    found, reader = read(path)
    wanted = [event["id"] for event in events if event["repo"]["name"] in NAMES]
    assert ids(found) == wanted
    assert 40 < len(wanted) < 120
    assert not reader.stats.slow


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "whole"
    write_volume(path, FAT, HOUR)
    return path


@pytest.mark.parametrize(
    "kind",
    [
        DamageKind.GLUED,
        DamageKind.NUL,
        DamageKind.ESCAPED,
        DamageKind.REORDERED,
        DamageKind.CRLF,
        DamageKind.ONE_LINE,
        DamageKind.MEMBERS,
    ],
)
def test_damage_that_loses_nothing_loses_nothing(kind, whole, tmp_path):
    damage = Damage(frozenset({kind}), one_line_of=5, member_lines=100)
    write_volume(tmp_path / "damaged", FAT, HOUR, damage)
    found, reader = read(tmp_path / "damaged")
    assert ids(found) == ids(read(whole)[0])
    assert not reader.quarantined
    assert whole.read_bytes() != (tmp_path / "damaged").read_bytes()


def test_of_cut_lines_all_others_are_kept_and_the_rest_is_in_quarantine(whole, tmp_path):
    write_volume(tmp_path / "damaged", FAT, HOUR, Damage(frozenset({DamageKind.CUT}), one_line_of=10))
    found, reader = read(tmp_path / "damaged")
    every = ids(read(whole)[0])
    assert set(ids(found)) <= set(every)
    assert 0.7 * len(every) < len(found) < len(every)
    assert 100 < len(reader.quarantined) < 200


@pytest.mark.parametrize("kind", [DamageKind.TRUNCATED, DamageKind.CHECKSUM])
def test_a_damaged_file_is_an_error_or_salvaged(kind, tmp_path):
    write_volume(tmp_path / "damaged", FAT, HOUR, Damage(frozenset({kind})))
    with pytest.raises(TruncatedHour):
        read(tmp_path / "damaged")
    found, reader = read(tmp_path / "damaged", salvage=True)
    assert found
    assert [kept.reason for kept in reader.quarantined if kept.reason == "gzip"] == ["gzip"]
