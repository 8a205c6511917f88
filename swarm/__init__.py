"""The stack manager: renders stacks, drives nodes, deploys to a Docker swarm."""
