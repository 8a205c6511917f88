"""The difference between the desired and the live state, its warnings and its display; pure.

Imports lints and below.
"""
