"""What a plan means that changes the mode of the database: one server becomes a cluster, or the reverse."""

from swarm.plan.plan import Kind, StackPlan

STACK = "db"
ONLY, FIRST, KEEPER = f"{STACK}_postgres", f"{STACK}_patroni1", f"{STACK}_backups"


def description(done: StackPlan) -> str:
    """What a plan that crosses over means, for people; empty for any other."""
    kinds = {change.service: change.kind for change in done.pending}
    if done.stack == STACK and kinds.get(ONLY) is Kind.REMOVE and kinds.get(FIRST) is Kind.CREATE:
        return "switching to a cluster: postgres stops, patroni1 takes over its volume, the other members clone it"
    if done.stack == STACK and kinds.get(ONLY) is Kind.CREATE and kinds.get(FIRST) is Kind.REMOVE:
        return "switching to a single server: patroni1 becomes leader, all members stop, postgres takes over its volume"
    return ""
