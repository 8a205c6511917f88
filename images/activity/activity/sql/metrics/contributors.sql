-- Distinct accounts that caused an event.
select touched.period, touched.start, 'all', count(distinct event.actor_id)
from touched
join gha_events as event on event.created_at >= touched.start and event.created_at < touched.finish
group by touched.period, touched.start
