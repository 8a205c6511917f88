-- Marks the indexes that the loader itself looks up; a backfill leaves out others until its end, never these.
comment on index gha_actors_login is 'needed while loading';
comment on index gha_actors_name is 'needed while loading';
comment on index gha_actors_emails_email is 'needed while loading';
comment on index gha_actors_names_name is 'needed while loading';
comment on index gha_repos_name is 'needed while loading';
comment on index gha_issues_number is 'needed while loading';
comment on index gha_pull_requests_number is 'needed while loading';
comment on index gha_issues_labels_event_id is 'needed while loading';
comment on index gha_commits_roles_unknown is 'needed while loading';
