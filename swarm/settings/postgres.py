"""`db` of env.yaml -> the settings of Postgres and Patroni: sizes that follow from memory, and what is always the same.

Of a cluster all of it is in etcd alone, as one document; a single server gets the parameters as arguments.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from swarm.errors import EnvironmentInvalid
from swarm.settings.environment import Database, Environment

UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3, "kB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
MEGABYTE = 1024**2
# What Postgres 17 takes: `select name from pg_settings where context <> 'internal'`, in lower case. Patroni drops all
# others with no more than a line in its log.
KNOWN = Path(__file__).parent / "postgres_parameters.txt"
# Connections by role: of the platform itself, and what each project adds: its sync writes, Grafana and readers read.
SHARES = {"gha_admin": (60, 1), "ro_user": (30, 3), "devstats_team": (10, 0)}
# Kept for the superuser, replication and members that join.
RESERVED_CONNECTIONS = 10
# Patroni decides these; setting them would have no effect.
PATRONI_S = (
    "hot_standby", "wal_level", "listen_addresses", "port", "cluster_name", "primary_conninfo", "hba_file",
    "data_directory", "synchronous_standby_names", "synchronous_commit", "unix_socket_directories", "fsync",
    "password_encryption",
    "full_page_writes",
)  # fmt: skip

# The superuser comes in without a password only from inside the container; everyone else proves a password.
HBA = (
    "local all postgres peer",
    "local replication postgres peer",
    "local all all scram-sha-256",
    "host replication replicator all scram-sha-256",
    "host all all all scram-sha-256",
)

# The same on every server, whatever its size.
FIXED = {
    # ALTER SYSTEM on one server would silently override the settings of this file.
    "allow_alter_system": "off",
    "password_encryption": "scram-sha-256",
    "wal_compression": "lz4",
    "random_page_cost": "1.1",
    "jit": "off",
    # The leader archives; committed data is in the archive a minute later.
    "archive_mode": "on",
    "archive_command": "pgbackrest --stanza=main archive-push %p",
    "archive_timeout": "60",
    # A client that vanished with its node must not hold locks for hours.
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "6",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "datestyle": "iso, mdy",
    "lc_messages": "C.UTF-8",
    "default_text_search_config": "pg_catalog.simple",
    "unix_socket_directories": "/run/postgresql",
}

# What only members of a cluster need.
CLUSTER = {
    "wal_level": "replica",
    "wal_log_hints": "on",
    "hot_standby": "on",
    "hot_standby_feedback": "on",
    "max_wal_senders": "10",
    "max_replication_slots": "10",
    # A member whose peer vanished notices within seconds.
    "wal_sender_timeout": "10s",
    "wal_receiver_timeout": "10s",
    "wal_receiver_status_interval": "2s",
    "wal_retrieve_retry_interval": "1s",
    "tcp_user_timeout": "10s",
}


@dataclass(frozen=True)
class Postgres:
    """What the stack's templates need: parameters of a single server, the cluster's document, and how it begins.

    `limits` are the connections that each role may hold, `shared_memory` the bytes of /dev/shm.
    """

    connections: int
    limits: dict[str, int]
    parameters: dict[str, str]
    cluster: dict[str, Any]
    seed: dict[str, Any]
    shared_memory: int


def of(environment: Environment) -> Postgres:
    """What the environment says; raises EnvironmentInvalid for parameters that are reserved or unknown."""
    given = environment.database
    if wrong := {name: why for name in sorted(given.parameters) if (why := _refused(name))}:
        place = f"env/{environment.name}/env.yaml"
        raise EnvironmentInvalid(f"{place}: db.parameters.{name}: {why}" for name, why in wrong.items())
    projects = len(environment.projects)
    connections = budget(given, projects)
    sized = parameters(given, connections)
    allowed = limits(int(sized["max_connections"]), projects)
    return Postgres(connections, allowed, sized, cluster(given, connections), _seed(), shared_memory(given))


def _refused(name: str) -> str:
    """Why a parameter cannot be set, empty when it can; those of extensions, which have a dot, are not known here."""
    if name in PATRONI_S:
        return "is set by the platform itself"
    if "." in name or name in (known := _known()):
        return ""
    near = get_close_matches(name, known, n=2, cutoff=0.6)
    meant = f", did you mean {' or '.join(near)}?" if near else ""
    return f"not a Postgres parameter{meant}"


@lru_cache(maxsize=1)
def _known() -> tuple[str, ...]:
    return tuple(KNOWN.read_text().split())


def budget(given: Database, projects: int) -> int:
    """max_connections: as given, or so many that all projects fit."""
    needed = require(projects) + RESERVED_CONNECTIONS
    return given.connections or -(-max(needed, 200) // 50) * 50


def require(projects: int) -> int:
    """Connections that the platform may hold at once."""
    return sum(_needed(projects).values())


def limits(connections: int, projects: int) -> dict[str, int]:
    """How many connections each role may hold: all of them together leave those that are reserved to the superuser."""
    needed = _needed(projects)
    usable = max(connections - RESERVED_CONNECTIONS, len(SHARES))
    return {role: max(usable * count // sum(needed.values()), 1) for role, count in needed.items()}


def _needed(projects: int) -> dict[str, int]:
    return {role: base + each * projects for role, (base, each) in SHARES.items()}


def size(text: str) -> int:
    """`256MB` or `1G` -> bytes."""
    digits = text.rstrip("kKMGTB")
    return int(digits) * UNITS[text[len(digits) :]]


def shared_memory(given: Database) -> int:
    """Bytes of /dev/shm: processes of a parallel query share their hash tables there, each some times `work_mem`."""
    return max(size(given.memory) // 4, 256 * MEGABYTE)


def parameters(given: Database, connections: int) -> dict[str, str]:
    """Postgres's parameters by name, as text."""
    memory = size(given.memory)
    derived = {
        "max_connections": str(connections),
        "superuser_reserved_connections": "5",
        "shared_buffers": given.shared_buffers or _megabytes(memory // 4),
        "effective_cache_size": _megabytes(memory * 3 // 4),
        "maintenance_work_mem": _megabytes(min(memory // 8, 2 * 1024**3)),
        "work_mem": given.work_mem or _megabytes(min(max(memory // 64, 4 * MEGABYTE), 256 * MEGABYTE)),
        "max_worker_processes": str(given.workers),
        "max_parallel_workers": str(given.workers),
        "max_parallel_workers_per_gather": str(max(1, given.workers // 4)),
        "max_parallel_maintenance_workers": str(max(1, given.workers // 4)),
        "min_wal_size": given.wal.min_size,
        "max_wal_size": given.wal.max_size,
        "wal_keep_size": given.wal.keep,
        "autovacuum_max_workers": str(given.autovacuum.workers),
        "autovacuum_vacuum_scale_factor": f"{given.autovacuum.scale_factor:g}",
        "autovacuum_naptime": given.autovacuum.naptime,
        "autovacuum_vacuum_cost_limit": str(given.autovacuum.cost_limit),
    }
    return {**FIXED, **derived, **given.parameters}


def cluster(given: Database, connections: int) -> dict[str, Any]:
    """The document in etcd: Patroni's dynamic configuration."""
    lag = size(given.maximum_lag)
    return {
        "ttl": given.ttl,
        "loop_wait": given.loop_wait,
        "retry_timeout": given.retry_timeout,
        "maximum_lag_on_failover": lag,
        "primary_start_timeout": given.start_timeout,
        # Patroni heeds it where commits wait for a replica: elsewhere what is killed may be ahead of all others.
        "primary_stop_timeout": given.stop_timeout,
        # Quorum: a commit waits for any one replica, so that losing one does not block writes.
        "synchronous_mode": "quorum" if given.synchronous else False,
        "failsafe_mode": True,
        "postgresql": {
            "use_pg_rewind": True,
            "use_slots": True,
            "parameters": {**CLUSTER, **parameters(given, connections)},
            "pg_hba": list(HBA),
        },
    }


@lru_cache(maxsize=1)
def _seed() -> dict[str, Any]:
    """What a new cluster begins with: defaults. They do not change with env.yaml, so that no member restarts for it."""
    given = Database()
    return cluster(given, budget(given, 0))


def _megabytes(size: int) -> str:
    return f"{max(size // MEGABYTE, 1)}MB"
