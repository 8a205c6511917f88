"""The part of a project database's setup that needs the superuser; also upgrades older databases."""

from activity import log
from activity.database.connect import Role, connect
from activity.database.extensions import create_extensions
from activity.database.queries import query
from activity.settings import Settings


def set_up_as_superuser(settings: Settings, database: str) -> None:
    """Create the extensions of a database and let its readers read the superuser's tables. Safe to repeat."""
    with connect(settings, database, Role.SUPERUSER) as connection:
        for name in create_extensions(connection):
            log.info("extension created", database=database, extension=name)
        with connection, connection.cursor() as cursor:
            cursor.execute(query("roles/open_superusers_tables"))
