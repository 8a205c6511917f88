"""From rows to COPY, one transaction a project.

Imports rows.
"""
