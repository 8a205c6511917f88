-- The headline numbers: every event, every account, distinct pull requests opened and merged.
-- A merge is told as closed with merged_at; since October 2025 also as the action merged.
select
  (select count(*) from gha_events),
  (select count(distinct actor_id) from gha_events),
  count(distinct payload.pull_request_id) filter (where payload.action = 'opened'),
  count(distinct payload.pull_request_id) filter (
    where payload.action = 'merged' or (payload.action = 'closed' and pull_request.merged_at is not null))
  from gha_pull_requests as pull_request
  join gha_payloads as payload on payload.event_id = pull_request.event_id
  where payload.dup_type = 'PullRequestEvent' and payload.action in ('opened', 'closed', 'merged');
