-- Records that an hour could not be read; when it is tried again, or that it is not.
insert into archive_hours (source, dt, state, attempts, first_tried_at, last_tried_at, next_try_at, error, problem)
values (%(source)s, %(hour)s, %(state)s, 1, %(now)s, %(now)s, %(next)s, %(error)s, %(problem)s)
on conflict (source, dt) do update
set state = excluded.state, attempts = archive_hours.attempts + 1, last_tried_at = excluded.last_tried_at,
    next_try_at = excluded.next_try_at, error = excluded.error, problem = excluded.problem
