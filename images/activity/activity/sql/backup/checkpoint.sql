-- All that was replayed is in the files from now on.
checkpoint
