"""Benchmarks and the tests of this repository; no verb for operators needs it.

Imports deploy, nodes and below.
"""
