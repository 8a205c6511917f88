-- How far WAL is written.
select pg_current_wal_lsn()
