-- When the leader last archived WAL, and whether it has failed since.
select last_archived_time, coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false)
from pg_stat_archiver
