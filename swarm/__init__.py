"""The stack manager: renders stacks, drives nodes, deploys to a Docker swarm."""

import gc

# A verb lives for seconds and drops little; looking for garbage a hundred times while modules load is a sixth of that.
gc.set_threshold(100_000)
