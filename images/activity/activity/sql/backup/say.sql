-- Says something about backups where DevStats's readers look; what matters is that it is a transaction of now.
insert into gha_logs (prog, proj, run_dt, msg) values ('backup', '', %(started_at)s at time zone 'UTC', %(words)s)
