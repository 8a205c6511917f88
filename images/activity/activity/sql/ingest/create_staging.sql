-- A staging table: the line of the hour, then the columns of its table; it goes with the transaction.
create temporary table {staging} (line integer not null, like {table}) on commit drop
