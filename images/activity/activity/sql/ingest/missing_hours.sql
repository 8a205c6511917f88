-- The first hours of a range that the database lacks.
select wanted.dt
from generate_series(%(first)s::timestamp, %(last)s::timestamp, interval '1 hour') as wanted (dt)
where not exists (select from gha_parsed as parsed where parsed.dt = wanted.dt)
order by wanted.dt
limit %(limit)s
