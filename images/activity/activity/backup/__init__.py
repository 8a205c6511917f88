"""Backups: of the cluster by pgBackRest, of each project by pg_dump; how they are made, kept, checked and restored."""
