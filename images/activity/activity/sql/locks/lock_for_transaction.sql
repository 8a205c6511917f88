-- Holds an advisory lock until the transaction ends.
select pg_advisory_xact_lock(%(key)s)
