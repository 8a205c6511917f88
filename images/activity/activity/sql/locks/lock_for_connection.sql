-- Holds an advisory lock until the connection closes.
select pg_advisory_lock(%(key)s)
