"""From a file of the archive to events: download, gunzip, windows, lines, salvage.

Imports nothing else of the archive.
"""
