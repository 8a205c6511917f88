-- The hours without events that databases have not taken over yet, as ranges.
select database, source, min(dt), max(dt)
from (
    select database, source, dt, dt - row_number() over (partition by database, source order by dt) * interval '1 hour' as island
    from empty_hours
    where database = any(%(databases)s)
) as numbered
group by database, source, island
order by 1, 3
