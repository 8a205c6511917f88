-- When the last transaction that recovery replayed was committed; null where there was none.
select pg_last_xact_replay_timestamp()
