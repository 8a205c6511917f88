-- Takes the rows of an hour in.
copy {staging} ({columns}) from stdin
