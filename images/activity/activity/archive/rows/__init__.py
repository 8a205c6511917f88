"""From an event to rows of tables, since 2015 and before.

Imports nothing else of the archive.
"""
