"""Nodes: how they are created and form one swarm.

Imports scheduler and below.
"""
