-- Remembers the secondary indexes of an empty database and drops them: built at the end they cost a fraction. Those that
-- the loader looks up itself stay: without them an hour would cost more with every hour before it.
do $$
declare
    found record;
begin
    if exists (select from gha_events) then
        return;
    end if;
    for found in
        select index.indexrelid::regclass as name, pg_get_indexdef(index.indexrelid) as definition
        from pg_index as index
        join pg_class as of_table on of_table.oid = index.indrelid
        where of_table.relnamespace = 'public'::regnamespace
            and starts_with(of_table.relname, 'gha_')
            and not index.indisunique and not index.indisprimary
            and obj_description(index.indexrelid, 'pg_class') is distinct from 'needed while loading'
            and not exists (select from pg_constraint where conindid = index.indexrelid)
    loop
        insert into deferred_indexes (name, definition) values (found.name::text, found.definition);
        execute format('drop index %s', found.name);
    end loop;
end
$$
