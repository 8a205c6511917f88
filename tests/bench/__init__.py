"""Benchmarks that need the real hours or a real Postgres; each module is a command."""
