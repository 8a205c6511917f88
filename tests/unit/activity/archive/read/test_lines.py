"""What the reader finds by its quick look is what reading every line as JSON finds, whatever the lines are."""

import gzip
import io
import json
from collections import Counter
from dataclasses import dataclass

import pytest
from activity.archive.read.gunzip import GunzipStream
from activity.archive.read.lines import BrokenPart, Line, LineReader, QuarantineReason, SlowReason
from activity.archive.read.ownership import repository_name
from activity.archive.read.salvage import SalvagedEvent, salvage_events
from hypothesis import example, given, settings
from hypothesis import strategies as some

SIZES = (64, 301, 4096, 256 * 1024)


@dataclass(frozen=True)
class Owners:
    """Wants the repositories of some owners, in any case."""

    owners: frozenset[bytes] = frozenset({b"kube", b"org"})
    patterned: bool = False

    def wants(self, name):
        owner, slash, _ = name.lower().partition("/")
        return bool(slash) and owner.encode() in self.owners


@dataclass(frozen=True)
class Patterns(Owners):
    """Wants the same and what only a look at the name tells."""

    patterned: bool = True

    def fits(self, name):
        return name.lower().endswith("/special")

    def wants(self, name):
        return super().wants(name) or self.fits(name)


def event(name="else/where", number=1, **changes):
    """An event as the archive writes it, but for the changes."""
    found = {
        "id": str(number),
        "type": "PushEvent",
        "actor": {"id": 5, "login": "someone", "gravatar_id": "", "url": "https://api.github.com/users/someone"},
        "repo": {"id": 7, "name": name, "url": f"https://api.github.com/repos/{name}"},
        "payload": {"ref": "refs/heads/main"},
        "public": True,
        "created_at": "2015-01-01T00:00:01Z",
    }
    return {key: value for key, value in {**found, **changes}.items() if value is not ...}


def packed(value):
    return json.dumps(value, separators=(",", ":")).encode()


def reordered(name, *first):
    found = event(name)
    return packed({key: found[key] for key in (*first, *(key for key in found if key not in first))})


def read(data, size=4096, wanted=None, members=1):
    step = -(-len(data) // members) or 1
    stored = b"".join(gzip.compress(data[place : place + step]) for place in range(0, len(data) or 1, step))
    reader = LineReader(GunzipStream("file:///hour", io.BytesIO(stored)), wanted or Owners(), size)
    return list(reader), reader.stats


def events_of(found):
    return [(item.offset, item.event) for item in found if isinstance(item, Line)]


def by_parsing_everything(data, wanted):
    """The events of an hour that are wanted: each line is read as JSON, or taken apart when it is none."""
    found, offset = [], 0
    for line in data.split(b"\n"):
        try:
            pieces = [(0, json.loads(line))]
        except (ValueError, RecursionError):
            pieces = [(piece.start, piece.event) for piece in salvage_events(line) if isinstance(piece, SalvagedEvent)]
        found += [
            (offset + start, value)
            for start, value in pieces
            if isinstance(value, dict) and wanted.wants(repository_name(value))
        ]
        offset += len(line) + 1
    return found


NESTED = {"user": {"id": 1}, "repo": {"id": 3, "name": "org/nested"}}
UNWANTED = {"user": {"id": 1}, "repo": {"id": 3, "name": "else/nested"}}
GLUED = packed(event()) + packed(event("kube/a", 2))
CUT = packed(event(payload={"body": "many words that end too soon"}))[:-60]
# What the line is, the line, and how many wanted events it has.
ADVERSARIAL = [
    ("plain, wanted", packed(event("kube/a")), 1),
    ("plain, not wanted", packed(event()), 0),
    ("in another case", packed(event("KuBe/A")), 1),
    ("carriage return", packed(event("kube/a")) + b"\r", 1),
    ("carriage return, not wanted", packed(event()) + b"\r", 0),
    ("spaces behind", packed(event("kube/a")) + b"  ", 1),
    ("spaces before", b"  " + packed(event("kube/a")), 1),
    ("spaces between", json.dumps(event("kube/a")).encode(), 1),
    ("repo first", reordered("kube/a", "repo"), 1),
    ("payload before repo", reordered("kube/a", "id", "type", "payload"), 1),
    ("payload before repo, wanted inside", packed({"payload": {"pull": NESTED}, **event()}), 0),
    ("payload before repo, unwanted inside", packed({"payload": {"pull": UNWANTED}, **event("kube/a")}), 1),
    ("actor behind repo", reordered("kube/a", "repo", "type"), 1),
    ("escaped slash", packed(event("kube/a")).replace(b'"kube/a"', b'"kube\\/a"'), 1),
    ("escaped letter", packed(event("kube/a")).replace(b'"kube/a"', b'"\\u006bube/a"'), 1),
    ("escaped letter in a key", packed(event("kube/a")).replace(b'"repo"', b'"\\u0072epo"'), 1),
    ("escaped quote in the login", packed(event("kube/a", actor={"id": 1, "login": 'a"},"repo":{"id":'})), 1),
    ("braces in the login", packed(event("kube/a", actor={"id": 1, "login": "{}}{"})), 1),
    ("repo says nothing", packed(event(repo=None)), 0),
    ("no repo", packed(event(repo=...)), 0),
    ("no actor", packed(event("kube/a", actor=...)), 1),
    ("actor says nothing", packed(event("kube/a", actor=None)), 1),
    ("actor with something inside", packed(event("kube/a", actor={"id": 1, "x": {"y": 1}, "repo": {"id": 2}})), 1),
    (
        "a false repo inside of the actor",
        packed(event("kube/a", actor={"id": 1, "x": {"y": 1}, "repo": {"id": 2, "name": "else/x"}})),
        1,
    ),
    (
        "a true repo behind a false event",
        packed({"id": {"type": "PushEvent", "actor": {"id": 1}, "repo": {"id": 2, "name": "else/x"}}, **event()})
        .replace(b'"id":"1",', b"")
        .replace(b"else/where", b"kube/a"),
        1,
    ),
    ("name behind other keys", packed(event(repo={"id": 1, "url": "u", "name": "kube/a"})), 1),
    ("name before id", packed(event(repo={"name": "kube/a", "id": 1})), 1),
    ("id is an object", packed(event(repo={"id": {"x": 1, "name": "else/x"}, "name": "kube/a"})), 1),
    ("id is text", packed(event(repo={"id": "1", "name": "kube/a"})), 1),
    ("id is null", packed(event(repo={"id": None, "name": "kube/a"})), 1),
    ("name without a slash", packed(event("kube")), 0),
    ("name with two slashes", packed(event("kube/a/b")), 1),
    ("empty name", packed(event("")), 0),
    ("owner is the start of a wanted one", packed(event("kub/a")), 0),
    ("wanted owner as a repository", packed(event("else/kube")), 0),
    ("name beyond ASCII", packed(event("kübe/a")), 0),
    ("Kelvin for k", json.dumps(event("\u212aube/a"), ensure_ascii=False, separators=(",", ":")).encode(), 1),
    ("wanted name in the text", packed(event(payload={"body": '"name":"kube/a"'})), 0),
    ("an event in the text", packed(event(payload={"body": packed(event("kube/a")).decode()})), 0),
    ("an event in the payload", packed(event(payload={"was": event("kube/a")})), 0),
    ("before 2015", packed({"repository": {"owner": "kube", "name": "a"}, "actor": "x", "type": "PushEvent"}), 1),
    ("glued", GLUED, 1),
    ("glued the other way", packed(event("kube/a", 2)) + packed(event()), 1),
    ("glued three times with a space", packed(event("org/a")) + b" " + GLUED, 2),
    ("glued behind a cut one", CUT + packed(event("kube/a")), 1),
    ("glued behind a cut one that was wanted", CUT.replace(b"else/where", b"kube/where") + packed(event("org/a")), 1),
    ("glued before a cut one", packed(event("kube/a")) + CUT, 1),
    ("glued behind the end of one", CUT[150:] + packed(event("kube/a")), 1),
    ("cut", CUT, 0),
    ("cut, wanted", CUT.replace(b"else/where", b"kube/where"), 0),
    ("NUL before", b"\x00\x00" + packed(event("kube/a")), 1),
    ("NUL behind", packed(event("kube/a")) + b"\x00\x00\x00", 1),
    ("NUL inside", packed(event("kube/a", payload={"body": "a#b"})).replace(b"#", b"\x00"), 1),
    ("NUL as an escape", packed(event("kube/a", payload={"body": "\x00"})), 1),
    ("not UTF-8", packed(event("kube/a", payload={"body": "#"})).replace(b"#", b"\xff\xfe"), 1),
    ("blank", b"", 0),
    ("only spaces", b" \r", 0),
    ("a list", b"[1]", 0),
    ("a number", b"1", 0),
    ("a page", b"<html>", 0),
    ("nested too deeply", b"[" * 5000, 0),
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("wanted", [Owners(), Patterns()], ids=["owners", "patterns"])
@pytest.mark.parametrize(("data", "count"), [case[1:] for case in ADVERSARIAL], ids=[case[0] for case in ADVERSARIAL])
def test_each_adversarial_line_alone_gives_its_events(data, count, wanted, size):
    for around in (data or b"\n", data + b"\n", packed(event()) + b"\n" + data + b"\n" + packed(event())):
        found, _ = read(around, size, wanted)
        assert len(events_of(found)) == count
        assert all(around[item.offset : item.offset + len(item.data)] == item.data for item in found)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("members", [1, 2, 7, 50])
@pytest.mark.parametrize("end", [b"\n", b""], ids=["ended", "not ended"])
def test_the_adversarial_file_gives_what_parsing_every_line_gives(size, members, end):
    data = b"\n".join(line for _, line, _ in ADVERSARIAL) + end
    for wanted in (Owners(), Patterns()):
        found, tally = read(data, size, wanted, members)
        assert [offset for offset, _ in events_of(found)] == [
            offset for offset, _ in by_parsing_everything(data, wanted)
        ]
        assert len(events_of(found)) == sum(count for _, _, count in ADVERSARIAL)
        assert tally.lines == len(ADVERSARIAL)
        assert {item.number for item in found} <= set(range(1, len(ADVERSARIAL) + 1))


NAMES = some.sampled_from(
    ["kube/a", "Org/b", "else/where", "kube", "x/special", "X/Special", "k\\u0075be/a", "org\\/a", "ünï/code", "", "/"]
)
INSIDE = some.recursive(
    some.none() | some.integers(0, 9) | some.text('{}"\\,:/\n\x00ab', max_size=8),
    lambda below: (
        some.lists(below, max_size=3)
        | some.dictionaries(some.sampled_from(["id", "name", "repo", "actor", "type", "x"]), below, max_size=4)
    ),
    max_leaves=8,
)


@some.composite
def lines(draw):
    """A line of an hour: an event as it should be, or one that is odd, or what is left of one or two."""
    name = draw(NAMES)
    made = event("@", draw(some.integers(1, 99)))
    for key in draw(some.lists(some.sampled_from(sorted(made)), max_size=2, unique=True)):
        made[key] = draw(INSIDE)
    keys = draw(some.permutations(list(made))) if draw(some.booleans()) else list(made)
    text = json.dumps(
        {key: made[key] for key in keys if draw(some.integers(0, 19))},
        separators=draw(some.sampled_from([(",", ":"), (", ", ": ")])),
        ensure_ascii=draw(some.booleans()),
    )
    data = text.replace("@", name).encode()
    end = draw(some.sampled_from([b"", b"", b"", b"\r", b" ", b"\x00"]))
    if draw(some.integers(0, 4)) == 0:
        data = (
            data[draw(some.integers(0, len(data))) :] if draw(some.booleans()) else data[: draw(some.integers(0, 400))]
        )
    return data + end


HOURS = some.lists(some.tuples(lines(), some.sampled_from([b"\n", b"\n", b"\n", b"", b"\n\n"])), max_size=12)


@settings(max_examples=150, deadline=None)
@given(
    hour=HOURS,
    size=some.sampled_from(SIZES),
    members=some.integers(1, 5),
    wanted=some.sampled_from([Owners(), Patterns()]),
)
@example(hour=[(CUT, b""), (packed(event("kube/a")), b"\n")], size=64, members=1, wanted=Owners())
def test_any_hour_gives_what_parsing_every_line_gives(hour, size, members, wanted):
    data = b"".join(part for pair in hour for part in pair)
    found, _ = read(data + b"\n", size, wanted, members)
    assert [offset for offset, _ in events_of(found)] == [offset for offset, _ in by_parsing_everything(data, wanted)]


def test_the_real_hours_give_what_parsing_every_line_gives(shared_data):
    for path in sorted((shared_data / "gharchive").glob("2*.json.gz")):
        data = gzip.decompress(path.read_bytes())
        wanted = Owners(frozenset({b"apache", b"rust-lang", b"kaspanet", b"docker", b"tgstation"}))
        found, tally = read(data, 256 * 1024, wanted)
        assert events_of(found) == by_parsing_everything(data, wanted)
        assert tally.lines == data.count(b"\n")
        assert not tally.broken
        assert tally.size == len(data)


def test_lines_that_were_read_as_a_whole_are_counted_by_kind(shared_data):
    old = gzip.decompress((shared_data / "gharchive" / "pre-2015.sample.json.gz").read_bytes())
    data = b"\n".join([packed(event()), packed(event()) + b"\r", reordered("kube/a", "repo"), GLUED, CUT])
    _, tally = read(data + b"\n" + old)
    assert tally.slow == Counter({SlowReason.OLD: 35, SlowReason.TORN: 2, SlowReason.ENDING: 1, SlowReason.SHAPE: 1})
    assert tally.lines == 40


def test_what_is_no_event_is_told_with_its_place_reason_and_bytes():
    data = b"\n".join([packed(event()), CUT, b"<html>", b"[1]", packed(event("kube/a")) + b"rest"])
    found, tally = read(data)
    broken = [item for item in found if isinstance(item, BrokenPart)]
    assert [(item.number, item.reason) for item in broken] == [
        (2, QuarantineReason.CUT),
        (3, QuarantineReason.NOT_JSON),
        (4, QuarantineReason.NOT_OBJECT),
        (5, QuarantineReason.NOT_JSON),
    ]
    assert [item.data for item in broken] == [CUT, b"<html>", b"[1]", b"rest"]
    assert all(data[item.offset : item.offset + item.length] == item.data for item in broken)
    assert tally.broken == Counter(item.reason for item in broken)
