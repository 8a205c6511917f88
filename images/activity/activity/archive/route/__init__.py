"""Which projects an event belongs to.

Imports nothing else of the archive.
"""
