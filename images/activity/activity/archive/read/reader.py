"""Reading an hour from its first byte to its last: the events that matter, and what goes into quarantine."""

from collections import Counter
from collections.abc import Iterator
from threading import Event as Signal

from activity import log
from activity.archive.read.gunzip import ByteStream, GunzipStream, SalvageStream
from activity.archive.read.lines import (
    BrokenPart,
    Line,
    LineReader,
    QuarantineReason,
    ReadStats,
    RepositoryFilter,
    SlowReason,
)
from activity.archive.read.open_hour import DEFAULT_TIMING, open_hour
from activity.archive.read.timing import Timing
from activity.database.quarantine import Rejected
from activity.errors import Stopped, TruncatedHour

# Of an hour that is broken from start to end, the first parts tell enough.
MOST_QUARANTINED = 500


class HourReader:
    """Iterate over it once for the events that may matter; `stats` and `quarantined` are complete afterwards.

    Raises TruncatedHour for a damaged gzip file. With `salvage` what is readable is kept and the damage goes into
    quarantine; it raises TruncatedHour only when nothing is readable.
    """

    def __init__(
        self,
        url: str,
        repositories: RepositoryFilter,
        stop: Signal,
        *,
        salvage: bool = False,
        timing: Timing = DEFAULT_TIMING,
    ) -> None:
        self.stats = ReadStats()
        self.quarantined: list[Rejected] = []
        self.url = url
        self._repositories = repositories
        self._stop = stop
        self._salvage = salvage
        self._timing = timing

    def __iter__(self) -> Iterator[Line]:
        with open_hour(self.url, self._timing, self._stop) as raw:
            salvaged = SalvageStream(raw) if self._salvage else None
            stream = _StoppableStream(self.url, salvaged or GunzipStream(self.url, raw), self._stop)
            lines = LineReader(stream, self._repositories)
            self.stats = lines.stats
            for part in lines:
                if isinstance(part, Line):
                    yield part
                else:
                    self._quarantine(part)
            if salvaged:
                self._quarantine_damage(salvaged, lines)
        self._log_stats()

    def refuse(self, line: Line, problem: str) -> None:
        """Put an event that cannot be stored into quarantine."""
        self.stats.broken[QuarantineReason.UNFIT] += 1
        self._quarantine(
            BrokenPart(line.number, line.offset, QuarantineReason.UNFIT, line.data, len(line.data), problem)
        )

    def _quarantine_damage(self, salvaged: SalvageStream, lines: LineReader) -> None:
        if not self.stats.lines:
            problem = salvaged.damage[0].problem if salvaged.damage else "is empty"
            raise TruncatedHour(self.url, f"{problem}, and nothing of it is readable")
        for damage in salvaged.damage:
            detail = f"the file {damage.problem}"
            self._quarantine(lines.broken(0, damage.offset, QuarantineReason.GZIP, b"", detail=detail))

    def _quarantine(self, part: BrokenPart) -> None:
        if len(self.quarantined) < MOST_QUARANTINED:
            place = part.number, part.offset, part.length
            self.quarantined.append(Rejected(*place, part.reason.value, part.detail, part.data))

    def _log_stats(self) -> None:
        if self.stats.broken:
            log.warning("not all of an hour is readable", url=self.url, **_as_fields(self.stats.broken))
        if self.stats.slow:
            log.info("lines parsed as a whole", url=self.url, lines=self.stats.lines, **_as_fields(self.stats.slow))


class _StoppableStream:
    """A stream that raises Stopped once `stop` is set."""

    def __init__(self, url: str, stream: ByteStream, stop: Signal) -> None:
        self.url = url
        self._stream = stream
        self._stop = stop

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill some of the buffer; raises Stopped."""
        if self._stop.is_set():
            raise Stopped(f"{self.url}: stopped while reading. Nothing of this hour was stored.")
        return self._stream.readinto(buffer)


def _as_fields(counts: Counter[QuarantineReason] | Counter[SlowReason]) -> dict[str, int]:
    return {kind.value.replace(" ", "_"): count for kind, count in counts.items()}
