"""From rows to COPY, in one transaction for each project.

Imports rows.
"""
