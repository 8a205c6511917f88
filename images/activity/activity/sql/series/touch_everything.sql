-- Every period with an event, and every period that has a point.
insert into touched (period, start, finish)
select found.period, found.start, found.start + ('1 ' || found.unit)::interval
from (
    select known.code as period, date_trunc(known.unit, event.created_at) as start, known.unit
    from gha_events as event
    cross join unnest(%(codes)s::text[], %(units)s::text[]) as known (code, unit)
    union
    select point.period, point.time, known.unit
    from series as point
    join unnest(%(codes)s::text[], %(units)s::text[]) as known (code, unit) on known.code = point.period
) as found
on conflict do nothing
