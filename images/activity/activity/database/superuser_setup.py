"""What only the superuser may give a database of the platform; it may be older than what is given today."""

from activity import log
from activity.database.connect import Role, connect
from activity.database.extensions import create_extensions
from activity.database.queries import query
from activity.settings import Settings


def set_up_as_superuser(settings: Settings, database: str) -> None:
    """Give a database its extensions, and its readers what the superuser makes there; may be repeated."""
    with connect(settings, database, Role.SUPERUSER) as connection:
        for name in create_extensions(connection):
            log.info("extension created", database=database, extension=name)
        with connection, connection.cursor() as cursor:
            cursor.execute(query("roles/open_superusers_tables"))
