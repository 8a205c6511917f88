-- Only the owner and the two readers come in, and what the owner makes from now on both may read.
do $$
begin
    execute format('revoke all on database %I from public', current_database());
    execute format('grant connect on database %I to ro_user, devstats_team', current_database());
end
$$;
grant usage on schema public to ro_user, devstats_team;
alter default privileges in schema public grant select on tables to ro_user, devstats_team;
grant select on all tables in schema public to ro_user, devstats_team;
