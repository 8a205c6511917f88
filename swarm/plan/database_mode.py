"""What a plan means that changes the mode of the database: one server becomes a cluster, or the reverse."""

from swarm.plan.plan import Kind, StackPlan

STACK = "db"
ONLY, FIRST, KEEPER = f"{STACK}_postgres", f"{STACK}_patroni1", f"{STACK}_backups"


def description(done: StackPlan) -> str:
    """What a plan that crosses over means, for people; empty for any other."""
    kinds = {change.service: change.kind for change in done.pending}
    if done.stack == STACK and kinds.get(ONLY) is Kind.REMOVE and kinds.get(FIRST) is Kind.CREATE:
        return "one server becomes a cluster: it ends, patroni1 goes on with its volume, the others copy that"
    if done.stack == STACK and kinds.get(ONLY) is Kind.CREATE and kinds.get(FIRST) is Kind.REMOVE:
        return "a cluster becomes one server: patroni1 leads, all members end, postgres goes on with its volume"
    return ""
