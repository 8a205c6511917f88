-- Which labels an issue had at each of these events, under the names that labels are known by.
insert into gha_issues_events_labels (
    issue_id, event_id, label_id, label_name, created_at, actor_id, actor_login, repo_id, repo_name, type
)
select
    labelled.issue_id,
    labelled.event_id,
    label.id,
    label.name,
    labelled.dup_created_at,
    labelled.dup_actor_id,
    labelled.dup_actor_login,
    labelled.dup_repo_id,
    labelled.dup_repo_name,
    labelled.dup_type
from gha_issues_labels as labelled
join gha_labels as label on label.id = labelled.label_id
where labelled.event_id = any(%(events)s)
order by 1, 2, 3
on conflict do nothing
