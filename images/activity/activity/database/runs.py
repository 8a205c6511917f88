"""What ran, when and how it ended, in the log database."""

from datetime import datetime

from activity.database.connect import LOG_DATABASE, transaction
from activity.database.queries import query
from activity.settings import Settings


def record_run(settings: Settings, verb: str, project: str, started_at: datetime, words: str) -> None:
    """Record that a verb ended well: one row of runs, and its words in gha_logs as DevStats keeps them."""
    with transaction(settings, LOG_DATABASE) as cursor:
        cursor.execute(
            query("log_run"),
            {"verb": verb, "project": project, "started_at": started_at, "words": words},
        )
