-- Records a run that ended well, and says it in gha_logs too, where DevStats's readers look.
with run as (
    insert into runs (verb, project, started_at, words)
    values (%(verb)s, %(project)s, %(started_at)s, %(words)s)
    returning verb, project, started_at, words
)
insert into gha_logs (prog, proj, run_dt, msg)
select left(verb, 32), left(project, 32), started_at at time zone 'UTC', words from run
