-- Ends the present segment of WAL; returns its name, and the number of the timeline, which its name begins with.
select name, ('x' || left(name, 8))::bit(32)::integer
from pg_walfile_name(pg_switch_wal()) name
