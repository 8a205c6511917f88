-- Records that an hour was read, wholly or as far as it can be, or skipped.
insert into archive_hours
    (source, dt, state, attempts, first_tried_at, last_tried_at, projects, events, seconds, error, problem)
values
    (%(source)s, %(hour)s, %(state)s, 1, %(now)s, %(now)s, %(projects)s, %(events)s, %(seconds)s, %(error)s, %(problem)s)
on conflict (source, dt) do update
set state = excluded.state, attempts = archive_hours.attempts + 1, last_tried_at = excluded.last_tried_at,
    next_try_at = null, projects = greatest(archive_hours.projects, excluded.projects),
    events = greatest(archive_hours.events, excluded.events), seconds = excluded.seconds,
    error = excluded.error, problem = excluded.problem
