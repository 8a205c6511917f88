-- Pairs each pull request with its issue: those of one number in one repository. Both may come in any order of hours.
insert into gha_issues_pull_requests (issue_id, pull_request_id, number, repo_id, repo_name, created_at)
select issue.id, pull.id, touched.number, touched.repo_id, issue.dup_repo_name, pull.created_at
from json_to_recordset(%(touched)s) as touched (repo_id bigint, number integer)
cross join lateral (
    select distinct on (id) id, dup_repo_name
    from gha_issues
    where dup_repo_id = touched.repo_id and number = touched.number
    order by id, event_id
) as issue
cross join lateral (
    select distinct on (id) id, created_at
    from gha_pull_requests
    where dup_repo_id = touched.repo_id and number = touched.number
    order by id, event_id
) as pull
order by issue.id, pull.id
on conflict (issue_id, pull_request_id) do nothing
