-- Marks an hour as read for databases that had no event in it: one statement, however many they are.
insert into empty_hours (database, dt, source)
select name, %(hour)s, %(source)s from unnest(%(databases)s::text[]) as empty (name)
on conflict do nothing
