-- Distinct pull requests opened and merged, by when the event happened that says so.
-- The archive says a merge as closed with merged_at; since October 2025 also as the action merged.
select told.period, told.start, told.series, count(distinct told.id)
from (
    select
        touched.period,
        touched.start,
        payload.pull_request_id as id,
        case
            when payload.action = 'opened' then 'opened'
            when payload.action = 'merged' or pull_request.merged_at is not null then 'merged'
        end as series
    from touched
    join gha_events as event on event.created_at >= touched.start and event.created_at < touched.finish
    join gha_payloads as payload on payload.event_id = event.id
    join gha_pull_requests as pull_request on pull_request.event_id = event.id
    where event.type = 'PullRequestEvent' and payload.action in ('opened', 'closed', 'merged')
) as told
where told.series is not null
group by told.period, told.start, told.series
