-- Databases by size, in bytes, with the connections that each has.
select datname, pg_database_size(oid), (select count(*) from pg_stat_activity a where a.datname = d.datname)
from pg_database d
where datallowconn
order by 2 desc
