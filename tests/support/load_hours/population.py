"""The accounts, repositories and words of a load hour: few of them have most of the events, as in the archive."""

from bisect import bisect
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from random import Random

SYLLABLES = ("ba", "co", "di", "fe", "gu", "ka", "lo", "mi", "nu", "pa", "ra", "se", "ti", "vo", "xa", "ze")
COMMON = (
    "the",
    "of",
    "and",
    "to",
    "fix",
    "add",
    "in",
    "for",
    "update",
    "is",
    "this",
    "with",
    "test",
    "when",
    "a",
    "on",
)
REPOSITORIES, PEOPLE, WORDS = 400_000, 250_000, 6_000
PROJECT_IDS_FROM, OTHER_IDS_FROM = 9_000_000, 10_000_000


@dataclass(frozen=True)
class Repository:
    """A repository by id and full name."""

    id: int
    name: str


@lru_cache(maxsize=1 << 16)
def made_name(purpose: str, number: int) -> str:
    """Return a name of two to five syllables, always the same for a number."""
    digest = blake2b(f"{purpose}{number}".encode(), digest_size=6).digest()
    return "".join(SYLLABLES[byte % len(SYLLABLES)] for byte in digest[: 2 + digest[5] % 4])


class Population:
    """Draws people, repositories and words from a random stream; a share `hits` of the repositories is of `names`."""

    def __init__(self, random: Random, names: tuple[str, ...], hits: float) -> None:
        self._random = random
        self._names = names
        self._hits = hits if names else 0.0
        self._words = [*COMMON, *(made_name("word", number) for number in range(WORDS))]
        self._weights = list(accumulate(1 / (rank + 2) for rank in range(len(self._words))))

    def repository(self) -> Repository:
        """Draw the repository of the next event."""
        if self._random.random() < self._hits:
            number = self._skewed(len(self._names))
            return Repository(PROJECT_IDS_FROM + number, self._names[number])
        number = self._skewed(REPOSITORIES)
        owner = number // 3 if number % 7 else number
        return Repository(
            OTHER_IDS_FROM + number * 13, f"{made_name('owner', owner)}-{owner:x}/{made_name('repository', number)}"
        )

    def person(self) -> tuple[str, int]:
        """Draw a person: login and id."""
        number = self._skewed(PEOPLE)
        return f"{made_name('person', number)}{number:x}", 1_000_000 + number * 7

    def words(self, count: int) -> str:
        """Draw so many words, some of them often, with line breaks and quotes in between."""
        pick, total = self._random.random, self._weights[-1]
        words = [self._words[bisect(self._weights, pick() * total)] for _ in range(count)]
        for place in range(9, count, 13):
            words[place] += (".\r\n\r\n", ',"quoted"', "\n- ", " `code{}`", ": ", f" (#{count})")[place % 6]
        return " ".join(words)

    def sha(self) -> str:
        """Draw the hash of a commit."""
        return f"{self._random.getrandbits(160):040x}"

    def _skewed(self, count: int) -> int:
        """Draw a number below a count; six of ten draws prefer small numbers."""
        draw = self._random.random()
        return int(count * draw**6) if draw < 0.6 else int(count * self._random.random())
