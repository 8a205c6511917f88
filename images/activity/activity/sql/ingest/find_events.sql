-- Which of these ids stand for an event already, and what tells that event from another.
select event.id, event.type, event.dup_repo_name, event.created_at, origin.digest
from gha_events as event
left join event_origins as origin on origin.event_id = event.id
where event.id = any(%(events)s::bigint[])
