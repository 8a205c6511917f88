-- Writes the points that are new or have another value.
insert into series as point (metric, period, time, series, value)
select %(metric)s, period, time, series, value
from measured
order by period, series, time
on conflict (metric, period, series, time) do update
set value = excluded.value
where point.value is distinct from excluded.value
