-- How many rows a table has, counted.
select count(*) from {table}
