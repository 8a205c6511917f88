"""Archives all WAL written until now: what a restore to this moment needs."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic, sleep

from activity.database.connect import LOG_DATABASE, Role, connect, transaction
from activity.database.queries import query
from activity.errors import BackupFailed
from activity.settings import Settings

TIMEOUT_SECONDS = 150.0
POLL_SECONDS = 0.5


def switch_wal(settings: Settings, seconds: float = TIMEOUT_SECONDS, clock: Callable[[], float] = monotonic) -> str:
    """Have the leader archive all it has and return when it has; BackupFailed when that takes too long.

    One row is committed first: recovery to a moment ends only where a transaction later than it is seen. The moment is
    told to the microsecond: of a whole second, what was committed within it would be after it.
    """
    now = datetime.now(UTC)
    with transaction(settings, LOG_DATABASE, Role.OWNER) as cursor:
        cursor.execute(query("backup/say"), {"started_at": now, "words": "everything until now is archived"})
    with (
        connect(settings, "postgres", Role.SUPERUSER, autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(query("backup/switch_wal"))
        row = cursor.fetchone()
        wanted, timeline = (str(row[0]), int(row[1])) if row else ("", 0)
        end = clock() + seconds
        while clock() < end:
            cursor.execute(query("backup/is_archived"), {"wanted": wanted})
            row = cursor.fetchone()
            if row and row[0]:
                return f"everything until {now:%Y-%m-%dT%H:%M:%S.%fZ} is archived, timeline {timeline}"
            sleep(POLL_SECONDS)
    raise BackupFailed(f"WAL {wanted} was not archived within {seconds:.0f} s. See ./run logs db.")
