"""Which hours to read, for which projects, and when to retry a failed one.

Imports ingest, simulate and read.
"""
