-- What came of backups lately: of each kind and project the last that went well, and the newest three that failed since.
-- Checks are few and far between, and looked for without an end: what was verified last must not be forgotten.
select kind, project, started_at, ended_at, failed, words
from (
    select b.*,
           max(ended_at) filter (where not failed) over (partition by kind, project) as well_at,
           row_number() over (partition by kind, project, failed order by ended_at desc) as place
    from backups b
    where ended_at > now() - interval '60 days' or kind = 'verify'
) b
where place <= case when failed then 3 else 1 end and ended_at >= coalesce(well_at, '-infinity')
order by ended_at desc
