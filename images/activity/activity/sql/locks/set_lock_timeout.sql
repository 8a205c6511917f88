-- Waits for locks no longer than this.
select set_config('lock_timeout', %(timeout)s, false)
