-- Of these keys, those that can be shared right now: nobody has them alone, or waits for them.
select key from unnest(%(keys)s::bigint[]) as wanted (key) where pg_try_advisory_lock_shared(key)
