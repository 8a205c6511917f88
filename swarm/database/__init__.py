"""The Postgres cluster as its operator sees it, asked through its containers.

Imports containers, rollout, plan and below.
"""
