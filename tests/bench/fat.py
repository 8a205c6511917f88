"""An hour of the size and shape that hours had before October 2025, of which one event in a hundred is followed.

Its payloads are those of real events of 2022, with hashes and words of its own so that it compresses as the archive
does; types are as frequent as they were, and followed events are more often about pull requests and issues.
"""

import gzip
import json
import random
import re
import zlib
from pathlib import Path

SHARES = {
    "PushEvent": 55.0,
    "CreateEvent": 11.8,
    "PullRequestEvent": 6.1,
    "WatchEvent": 6.0,
    "IssueCommentEvent": 5.3,
    "DeleteEvent": 4.5,
    "IssuesEvent": 2.6,
    "PullRequestReviewEvent": 2.5,
    "ForkEvent": 2.0,
    "PullRequestReviewCommentEvent": 1.4,
    "ReleaseEvent": 0.8,
}
FOLLOWED = {
    "PushEvent": 30.0,
    "PullRequestEvent": 15.0,
    "IssueCommentEvent": 22.0,
    "IssuesEvent": 8.0,
    "PullRequestReviewEvent": 12.0,
    "PullRequestReviewCommentEvent": 8.0,
    "WatchEvent": 3.0,
    "ForkEvent": 2.0,
}
ORGANISATIONS = tuple(f"followed-{number}" for number in range(100))
ONE_IN = 100
HASH = re.compile(rb"([0-9a-f]{40})")
WORDS = 6000


def make(path: Path, samples: Path, events: int, seed: int = 1) -> int:
    """Write an hour of so many events; returns its size in bytes before compression."""
    chance = random.Random(seed)
    templates = _templates(samples)
    words = ["".join(chance.choices("abcdefghijklmnoprstuvwy", k=chance.randint(2, 11))) for _ in range(WORDS)]
    packer, size = zlib.compressobj(6, zlib.DEFLATED, 31), 0
    with path.open("wb") as file:
        for number in range(events):
            line = _line(number, chance, templates, words)
            size += len(line)
            file.write(packer.compress(line))
        file.write(packer.flush())
    return size


def _templates(samples: Path) -> dict[str, list[bytes]]:
    """Return the payloads of real events by type."""
    lines = gzip.decompress((samples / "2022-04-06.sample.json.gz").read_bytes()).splitlines()
    templates: dict[str, list[bytes]] = {}
    for event in map(json.loads, lines):
        payload = json.dumps(event["payload"], separators=(",", ":"), ensure_ascii=False).encode()
        templates.setdefault(event["type"], []).append(payload)
    return templates


def _line(number: int, chance: random.Random, templates: dict[str, list[bytes]], words: list[str]) -> bytes:
    followed = number % ONE_IN == 0
    shares = FOLLOWED if followed else SHARES
    kind = chance.choices(list(shares), list(shares.values()))[0]
    owner = chance.choice(ORGANISATIONS) if followed else f"someone-{chance.randrange(60_000)}"
    repository = int(chance.paretovariate(0.8)) % 20
    person = int(chance.paretovariate(0.5)) % 90_000
    head = (
        f'{{"id":"{20_000_000_000 + number}","type":"{kind}","actor":{{"id":{person + 1},"login":"person-{person}",'
        f'"display_login":"person-{person}","gravatar_id":"","url":"https://api.github.com/users/person-{person}",'
        f'"avatar_url":"https://avatars.githubusercontent.com/u/{person + 1}?"}},'
        f'"repo":{{"id":{sum(owner.encode()) * 100 + repository},"name":"{owner}/thing-{repository}",'
        f'"url":"https://api.github.com/repos/{owner}/thing-{repository}"}},"payload":'
    )
    payload = HASH.sub(lambda _: b"%040x" % chance.getrandbits(160), chance.choice(templates[kind]))
    if kind == "PushEvent":
        payload = _push(chance, words)
    said = " ".join(chance.choices(words, k=chance.randint(5, 60)))
    payload = payload.replace(b'"body":"', b'"body":"' + said.encode() + b" ")
    minute, second = divmod(number * 3600 // 200_000 % 3600, 60)
    tail = f',"public":true,"created_at":"2022-04-06T17:{minute:02}:{second:02}Z"}}\n'
    return head.encode() + payload + tail.encode()


def _push(chance: random.Random, words: list[str]) -> bytes:
    commits = [
        {
            "sha": f"{chance.getrandbits(160):040x}",
            "author": {"email": f"{chance.choice(words)}@example.org", "name": chance.choice(words)},
            "message": " ".join(chance.choices(words, k=chance.randint(3, 40)))
            + (
                f"\n\nSigned-off-by: {chance.choice(words)} <{chance.choice(words)}@example.org>" * chance.randint(0, 1)
            ),
            "distinct": True,
            "url": f"https://api.github.com/repos/x/y/commits/{chance.getrandbits(160):040x}",
        }
        for _ in range(chance.choices((1, 2, 3, 6), (70, 15, 10, 5))[0])
    ]
    made = {
        "push_id": chance.getrandbits(33),
        "size": len(commits),
        "distinct_size": len(commits),
        "ref": "refs/heads/main",
        "head": commits[-1]["sha"],
        "before": f"{chance.getrandbits(160):040x}",
        "commits": commits,
    }
    return json.dumps(made, separators=(",", ":")).encode()
