"""When something is due: a run that was missed, for whatever reason, is due until it was made."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from apscheduler.triggers.cron import CronTrigger

from activity.errors import SettingsError

FIRST_DELAY = timedelta(minutes=2)
MAX_DELAY = timedelta(hours=1)
MAX_DOUBLINGS = 6


def trigger(name: str, text: str) -> CronTrigger:
    """Five cron fields -> when; SettingsError names the setting."""
    try:
        return CronTrigger.from_crontab(text, timezone=UTC)
    except ValueError as error:
        raise SettingsError([f"{name}: {error}"]) from error


def is_due(when: CronTrigger, last: datetime | None, now: datetime) -> bool:
    """Whether a run should have been made since the last one; what was never made is due at once."""
    if last is None:
        return True
    following = when.get_next_fire_time(None, last + timedelta(seconds=1))
    return following is not None and following <= now


@dataclass
class Backoff:
    """How long each thing that failed is left alone before it is tried again: two minutes, four, up to an hour."""

    failures: dict[str, int] = field(default_factory=dict)
    until: dict[str, datetime] = field(default_factory=dict)

    def over(self, what: str, now: datetime) -> bool:
        """Whether it may be tried."""
        return self.until.get(what, now) <= now

    def failed(self, what: str, now: datetime) -> None:
        """It failed once more."""
        count = self.failures.get(what, 0)
        self.failures[what] = count + 1
        self.until[what] = now + min(FIRST_DELAY * 2 ** min(count, MAX_DOUBLINGS), MAX_DELAY)

    def well(self, what: str) -> None:
        """It went well."""
        self.failures.pop(what, None)
        self.until.pop(what, None)
