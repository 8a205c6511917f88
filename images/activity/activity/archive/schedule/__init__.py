"""Which hours are wanted, who has them, and when each is tried again.

Imports ingest, simulate and read.
"""
