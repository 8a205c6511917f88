-- Runs a program as the server's own user; the odd delimiter and quote leave each line as it is.
copy said (words) from program {program} with (format csv, delimiter e'\x01', quote e'\x02')
