"""The use cases over secrets: edit, inventory, rotate.

Imports deploy and below.
"""
