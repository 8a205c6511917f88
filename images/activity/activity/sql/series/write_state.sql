-- Up to where a metric is computed, and when that was.
insert into series_state as state (metric, period, computed_to, computed_at)
select %(metric)s, period, max(finish), clock_timestamp()
from touched
group by period
on conflict (metric, period) do update
set computed_to = greatest(state.computed_to, excluded.computed_to), computed_at = excluded.computed_at
