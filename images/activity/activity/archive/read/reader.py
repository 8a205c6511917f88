"""One reading of an hour from its first byte to its last: its events, and what of it could not be kept as events."""

from collections import Counter
from collections.abc import Iterator
from threading import Event as Signal

from activity import log
from activity.archive.read.gunzip import Bytes, Gunzipped, Salvaged
from activity.archive.read.lines import Broken, Line, Reader, Reason, Slow, Tally, Wanted
from activity.archive.read.open_hour import open_hour
from activity.database.quarantine import Rejected
from activity.errors import Stopped, TruncatedHour

# So many are kept of an hour; of an hour that is wholly broken the first ones tell enough.
MOST_KEPT = 500


class Reading:
    """Iterate over it once for the events that may matter; `tally` and `quarantined` are complete after that.

    An hour whose gzip is damaged is an error, unless it is to be salvaged: then what is readable is kept and the
    damage is in quarantine; TruncatedHour when nothing is.
    """

    def __init__(self, url: str, wanted: Wanted, stop: Signal, *, salvage: bool = False) -> None:
        self.tally = Tally()
        self.quarantined: list[Rejected] = []
        self.url = url
        self._wanted = wanted
        self._stop = stop
        self._salvage = salvage

    def __iter__(self) -> Iterator[Line]:
        with open_hour(self.url, stop=self._stop) as raw:
            salvaged = Salvaged(raw) if self._salvage else None
            reader = Reader(_Stoppable(self.url, salvaged or Gunzipped(self.url, raw), self._stop), self._wanted)
            self.tally = reader.tally
            for found in reader:
                if isinstance(found, Line):
                    yield found
                else:
                    self._keep(found)
            if salvaged and not self.tally.lines:
                problem = salvaged.damage[0].problem if salvaged.damage else "is empty"
                raise TruncatedHour(self.url, f"{problem}, and nothing of it is readable")
            for damage in salvaged.damage if salvaged else ():
                self._keep(reader.broken(0, damage.offset, Reason.GZIP, b"", detail=f"the file {damage.problem}"))
        self._say()

    def refuse(self, line: Line, problem: str) -> None:
        """Put an event into quarantine that cannot be stored."""
        self.tally.broken[Reason.UNFIT] += 1
        self._keep(Broken(line.number, line.offset, Reason.UNFIT, line.data, len(line.data), problem))

    def _keep(self, broken: Broken) -> None:
        if len(self.quarantined) < MOST_KEPT:
            place = broken.number, broken.offset, broken.length
            self.quarantined.append(Rejected(*place, broken.reason.value, broken.detail, broken.data))

    def _say(self) -> None:
        if self.tally.broken:
            log.warning("not all of an hour is readable", url=self.url, **_words(self.tally.broken))
        if self.tally.slow:
            log.info("lines were read as a whole", url=self.url, lines=self.tally.lines, **_words(self.tally.slow))


class _Stoppable:
    """A stream that ends with Stopped once it is asked to."""

    def __init__(self, url: str, stream: Bytes, stop: Signal) -> None:
        self.url = url
        self._stream = stream
        self._stop = stop

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill some of the buffer; Stopped when that is asked for."""
        if self._stop.is_set():
            raise Stopped(f"{self.url}: stopped in the middle. Nothing of this hour was stored.")
        return self._stream.readinto(buffer)


def _words(counts: Counter[Reason] | Counter[Slow]) -> dict[str, int]:
    return {kind.value.replace(" ", "_"): count for kind, count in counts.items()}
