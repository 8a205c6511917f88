-- What the superuser makes in a database from now on the readers may read, too, as they may what its owner makes.
alter default privileges for role postgres in schema public grant select on tables to ro_user, devstats_team
