"""Settings: what the operator wrote, read once, validated whole, frozen.

Imports only errors.
"""
