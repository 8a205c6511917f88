"""What runs inside containers: one-shot jobs, exec, logs, backfills.

Imports rollout, nodes, live and below.
"""
