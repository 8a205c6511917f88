-- Ends the present segment of WAL; returns its name.
select pg_walfile_name(pg_switch_wal())
