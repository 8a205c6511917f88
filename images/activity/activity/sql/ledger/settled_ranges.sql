-- The hours of an archive of which it is recorded that they were read or skipped, as ranges.
select min(dt), max(dt)
from (
    select dt, dt - row_number() over (order by dt) * interval '1 hour' as island
    from archive_hours
    where source = %(source)s and state not in ('missing', 'failing', 'given up')
) as numbered
group by island
order by 1
