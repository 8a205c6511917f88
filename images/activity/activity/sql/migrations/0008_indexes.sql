-- What the loader itself looks up; docs/schema.md says which statement each one is for and what it costs.
create index gha_actors_login on gha_actors (login);
create index gha_actors_name on gha_actors (name) where name <> '';
create index gha_actors_emails_email on gha_actors_emails (email);
create index gha_actors_names_name on gha_actors_names (name);
create index gha_repos_name on gha_repos (name);
create index gha_issues_number on gha_issues (dup_repo_id, number);
create index gha_pull_requests_number on gha_pull_requests (dup_repo_id, number);
create index gha_issues_labels_event_id on gha_issues_labels (event_id);
create unique index gha_issues_pull_requests_pair on gha_issues_pull_requests (issue_id, pull_request_id);
create index gha_commits_roles_unknown on gha_commits_roles (actor_name) where actor_id = 0;
