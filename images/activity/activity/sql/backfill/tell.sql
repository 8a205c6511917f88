-- Records how far a backfill is, or that it ended.
update backfills
set done = %(done)s, failed = %(failed)s, events = %(events)s, seen_at = clock_timestamp(),
    ended_at = case when %(ended)s then clock_timestamp() end
where id = %(id)s
