"""Lints: what Docker accepts in a stack file and operators regret, each with its line.

Imports scheduler, live, stacks and below.
"""
