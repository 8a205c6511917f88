-- How many hours stand how, and the newest and the latest that was read.
select state, count(*), max(dt), max(last_tried_at) from archive_hours group by state order by state;
