-- Marks periods as touched; a mark that is being worked off comes back as a new one.
insert into series_pending (period, start, marked_at)
select distinct period.code, date_trunc(period.unit, touched.moment), now()
from unnest(%(moments)s::timestamp[]) as touched (moment)
cross join unnest(%(codes)s::text[], %(units)s::text[]) as period (code, unit)
order by 1, 2
on conflict (period, start) do update
set marked_at = excluded.marked_at
