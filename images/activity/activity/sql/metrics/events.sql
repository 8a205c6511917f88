-- Events by type.
select touched.period, touched.start, event.type, count(*)
from touched
join gha_events as event on event.created_at >= touched.start and event.created_at < touched.finish
group by touched.period, touched.start, event.type
