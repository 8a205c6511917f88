"""A folder of stacks/ and an environment become the desired state.

Imports host, engine, settings and below.
"""
