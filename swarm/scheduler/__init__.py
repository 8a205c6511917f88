"""What Swarm's scheduler would do with the desired state.

Imports live and below.
"""
