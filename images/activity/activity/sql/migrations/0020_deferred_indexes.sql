-- Secondary indexes that a backfill of an empty database leaves for its end, by name with their definitions.
create table deferred_indexes (
    name text primary key,
    definition text not null
);
