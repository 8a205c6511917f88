"""Hours that are made up, where the archive is not reachable and for load tests.

Imports route.
"""
