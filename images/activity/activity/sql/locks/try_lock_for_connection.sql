-- Holds an advisory lock until the connection closes, or says at once that somebody else has it.
select pg_try_advisory_lock(%(key)s)
