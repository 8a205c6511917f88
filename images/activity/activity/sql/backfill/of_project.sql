-- The last backfill that a project was part of.
select hours, done, failed, started_at, seen_at, ended_at
from backfills
where %(project)s = any(projects)
order by id desc
limit 1
