-- The hours that are missing, the newest first, and why.
select dt, source, state, attempts, first_tried_at, last_tried_at, next_try_at, problem
  from archive_hours
  where state in ('missing', 'failing', 'given up')
  order by dt desc
  limit %(limit)s;
