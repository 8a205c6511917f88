-- Writes down what came of a backup, dump, restore or check, and says it in gha_logs too, where DevStats's readers look.
with done as (
    insert into backups (kind, project, started_at, failed, bytes, words)
    values (%(kind)s, %(project)s, %(started_at)s, %(failed)s, %(bytes)s, %(words)s)
    returning kind, project, started_at, failed, words
)
insert into gha_logs (prog, proj, run_dt, msg)
select 'backup', left(project, 32), started_at at time zone 'UTC',
       kind || case when failed then ' failed: ' else ': ' end || words
from done
