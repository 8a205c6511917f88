"""Vacuum and statistics of projects' databases, on the leader, beside everything else that goes on there."""

from time import monotonic

from activity.backup.process import password_file, run
from activity.projects import Project
from activity.settings import Need, Settings


def vacuum(settings: Settings, project: Project) -> float:
    """Vacuum and analyze one project's database; returns the seconds that took. BackupFailed has the reason."""
    began = monotonic()
    with password_file(settings.password(Need.POSTGRES)) as (descriptor, environ):
        argv = (
            "vacuumdb",
            "--no-password",
            "--quiet",
            "--analyze",
            f"--jobs={settings.backups.processes}",
            f"--host={settings.database_host}",
            f"--port={settings.database_port}",
            "--username=postgres",
            f"--dbname={project.database}",
        )
        run(argv, environ, descriptors=[descriptor])
    return monotonic() - began
