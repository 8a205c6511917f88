"""Every error that this service raises on purpose.

ActivityError                  1  base of all, never raised itself
├── UsageError                64  the command line is wrong
├── TruncatedHour             66  an hour ends before its gzip stream does
├── HourMissing               69  the archive has no such hour
├── ArchiveUnreachable        70  the archive does not answer
├── DatabaseUnavailable       71  Postgres does not answer, or refuses
├── BackupFailed              72  a backup, dump, restore or check of one did not succeed
├── BackupRunning             75  another backup, dump or restore of the same is under way
├── SettingsError             78  the environment, a secret or projects.json is wrong
└── Stopped                  143  asked to stop (SIGTERM); nothing half done
"""


class ActivityError(Exception):
    """Base of all; its message ends with what to do next.

    `about_hour` tells that the hour at hand is to blame, so that others may be read all the same.
    """

    exit_code = 1
    about_hour = False


class UsageError(ActivityError):
    """The command line is wrong."""

    exit_code = 64


class TruncatedHour(ActivityError):
    """An hour ends before its gzip stream does, or its checksum is wrong."""

    exit_code = 66
    about_hour = True

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(f"{url}: {problem}. Nothing of this hour was stored. Replace the file and run again.")


class HourMissing(ActivityError):
    """The archive has no such hour."""

    exit_code = 69
    about_hour = True

    def __init__(self, url: str) -> None:
        super().__init__(f"{url}: not found. The archive publishes each hour a few minutes after it ends.")


class ArchiveUnreachable(ActivityError):
    """The archive does not answer, or answers with an error of its own."""

    exit_code = 70
    about_hour = True

    def __init__(self, url: str, problem: str, *, passing: bool = True, wait: float | None = None) -> None:
        super().__init__(f"{url}: {problem}. Check ACTIVITY_ARCHIVE_URL and the network.")
        self.passing = passing
        self.wait = wait


class DatabaseUnavailable(ActivityError):
    """Postgres does not answer, or refuses what was asked."""

    exit_code = 71


class BackupFailed(ActivityError):
    """A backup, a dump, a restore or a check did not succeed; what was there before is as it was."""

    exit_code = 72


class BackupRunning(ActivityError):
    """Another backup, dump or restore of the same thing is under way."""

    exit_code = 75


class SettingsError(ActivityError):
    """One or more settings are wrong; the message lists all of them."""

    exit_code = 78

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join([*mistakes, "Correct the environment and start again."]))
        self.mistakes = tuple(mistakes)


class Stopped(ActivityError):
    """Asked to stop; what was under way is rolled back."""

    exit_code = 143
