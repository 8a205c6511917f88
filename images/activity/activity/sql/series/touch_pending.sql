-- Takes the marks; those that an ingest is just writing are left for the next computation.
with taken as (
    delete from series_pending
    where (period, start) in (
        select period, start from series_pending order by period, start for update skip locked
    )
    returning period, start
)
insert into touched (period, start, finish)
select taken.period, taken.start, taken.start + ('1 ' || known.unit)::interval
from taken
join unnest(%(codes)s::text[], %(units)s::text[]) as known (code, unit) on known.code = taken.period
