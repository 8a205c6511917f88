-- The last backfill that ended: when it is another, databases hold more than was known.
select coalesce(max(ended_at), '-infinity')::text from backfills
