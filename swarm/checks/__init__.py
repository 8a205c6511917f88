"""Stack tests: what must hold after a deploy, and the runner that checks it.

Imports containers and below.
"""
