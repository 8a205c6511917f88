-- The hours that the database has, as ranges.
select min(dt), max(dt)
from (select dt, dt - row_number() over (order by dt) * interval '1 hour' as island from gha_parsed) as numbered
group by island
order by 1
