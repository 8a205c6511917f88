"""The use cases over projects: add, remove, and their entries in projects.yaml.

Imports deploy and below.
"""
