-- The indexes that were dropped for a backfill and are not there again.
select name, definition from deferred_indexes order by name
