"""One change to services at a time, waited for: lock, apply, converge, scale, restart.

Imports plan, live, stacks and below.
"""
