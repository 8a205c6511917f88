"""Postgres: one database per project, and the log database that records runs."""
