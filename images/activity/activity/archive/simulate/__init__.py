"""Simulated hours, for platforms that cannot reach the archive.

Imports route.
"""
