"""The driver lab: nodes in containers on this machine, with their storage and ports.

Imports stacks.images, host and below.
"""
