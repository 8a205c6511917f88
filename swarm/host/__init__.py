"""The operator's machine: facts about it, and what must be installed on it.

Imports engine and below.
"""
