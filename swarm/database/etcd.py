"""What etcd stores about the Postgres cluster, and how it forgets that."""

from swarm.database.members import STACK

# What Patroni's members agreed upon about the cluster as it was; its settings (`config`) stay.
# Source: Patroni, "DCS layout".
STATE_KEYS = ("initialize", "leader", "history", "status", "sync", "failover", "failsafe", "optime/", "members/")
EVERY_KEY = ("",)


def forget_command(keys: tuple[str, ...]) -> tuple[str, ...]:
    """The command that deletes these keys of the cluster inside a container of etcd."""
    deletions = " && ".join(f"etcdctl del --prefix /service/{STACK}/{key}" for key in keys)
    return ("sh", "-c", f"export ETCDCTL_API=3; {deletions}")
