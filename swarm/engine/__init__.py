"""One Docker engine: connection, retries, contexts, and a recorder of requests.

Imports settings, shell and errors.
"""
