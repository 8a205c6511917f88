-- Takes the rows of an hour into their table.
copy {table} ({columns}) from stdin
