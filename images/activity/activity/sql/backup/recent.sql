-- What came of backups lately: of each kind and project the last that went well, and what failed since.
select kind, project, started_at, ended_at, failed, words
from (
    select b.*, max(ended_at) filter (where not failed) over (partition by kind, project) as well_at
    from backups b
    where ended_at > now() - interval '60 days'
) b
where ended_at >= coalesce(well_at, '-infinity')
order by ended_at desc
limit 500
