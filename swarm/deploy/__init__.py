"""The use cases deploy, rollback and clean, and the releases that they record.

Imports database, checks and below.
"""
