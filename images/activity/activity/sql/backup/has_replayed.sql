-- Whether a replica has replayed so far; a server that replays nothing has all.
select coalesce(pg_last_wal_replay_lsn() >= %(written)s::pg_lsn, true)
