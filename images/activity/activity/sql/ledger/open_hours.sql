-- The hours of an archive that are not there yet, that fail, or that were given up.
select dt, state, attempts, first_tried_at, last_tried_at, next_try_at, error, problem
from archive_hours
where source = %(source)s and state in ('missing', 'failing', 'given up')
order by dt
