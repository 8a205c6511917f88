"""The live state as the managers report it: services, tasks, volumes, orphans.

Imports stacks and below.
"""
