"""From a file of the archive to lines: download, gunzip, windows, lines, salvage.

Imports nothing else of the archive.
"""
