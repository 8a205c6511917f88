-- Issues, pull requests and what is said about them, as DevStats keeps them.
create table gha_issues (
    id bigint not null,
    event_id bigint not null,
    assignee_id bigint,
    body text,
    closed_at timestamp,
    comments integer not null,
    created_at timestamp not null,
    locked boolean not null,
    milestone_id bigint,
    number integer not null,
    state character varying(20) not null,
    title text not null,
    updated_at timestamp not null,
    user_id bigint not null,
    is_pull_request boolean not null,
    dup_actor_id bigint not null,
    dup_actor_login character varying(120) not null,
    dup_repo_id bigint not null,
    dup_repo_name character varying(160) not null,
    dup_type character varying(40) not null,
    dup_created_at timestamp not null,
    dup_user_login character varying(120) not null,
    primary key (id, event_id)
);

create table gha_issues_labels (
    issue_id bigint not null,
    event_id bigint not null,
    label_id bigint not null,
    dup_actor_id bigint not null,
    dup_actor_login character varying(120) not null,
    dup_repo_id bigint not null,
    dup_repo_name character varying(160) not null,
    dup_type character varying(40) not null,
    dup_created_at timestamp not null,
    dup_issue_number integer not null,
    dup_label_name character varying(160) not null,
    primary key (issue_id, event_id, label_id)
);

create table gha_issues_assignees (
    issue_id bigint not null,
    event_id bigint not null,
    assignee_id bigint not null,
    primary key (issue_id, event_id, assignee_id)
);

create table gha_labels (
    id bigint not null,
    name character varying(160) not null,
    color character varying(8) not null,
    is_default boolean,
    primary key (id)
);

create table gha_milestones (
    id bigint not null,
    event_id bigint not null,
    closed_at timestamp,
    closed_issues integer not null,
    created_at timestamp not null,
    creator_id bigint,
    description text,
    due_on timestamp,
    number integer not null,
    open_issues integer not null,
    state character varying(20) not null,
    title character varying(200) not null,
    updated_at timestamp not null,
    dup_actor_id bigint not null,
    dup_actor_login character varying(120) not null,
    dup_repo_id bigint not null,
    dup_repo_name character varying(160) not null,
    dup_type character varying(40) not null,
    dup_created_at timestamp not null,
    dupn_creator_login character varying(120),
    primary key (id, event_id)
);

create table gha_comments (
    id bigint not null,
    event_id bigint not null,
    body text not null,
    created_at timestamp not null,
    updated_at timestamp not null,
    user_id bigint not null,
    commit_id character varying(40),
    original_commit_id character varying(40),
    position integer,
    original_position integer,
    path text,
    pull_request_review_id bigint,
    line integer,
    dup_actor_id bigint not null,
    dup_actor_login character varying(120) not null,
    dup_repo_id bigint not null,
    dup_repo_name character varying(160) not null,
    dup_type character varying(40) not null,
    dup_created_at timestamp not null,
    dup_user_login character varying(120) not null,
    primary key (id, event_id)
);

create table gha_reviews (
    id bigint not null,
    user_id bigint not null,
    commit_id character varying(40) not null,
    submitted_at timestamp not null,
    author_association text not null,
    state text not null,
    body text,
    event_id bigint not null,
    dup_actor_id bigint not null,
    dup_actor_login character varying(120) not null,
    dup_repo_id bigint not null,
    dup_repo_name character varying(160) not null,
    dup_type character varying(40) not null,
    dup_created_at timestamp not null,
    dup_user_login character varying(120) not null,
    primary key (id, event_id)
);

create table gha_pull_requests_assignees (
    pull_request_id bigint not null,
    event_id bigint not null,
    assignee_id bigint not null,
    primary key (pull_request_id, event_id, assignee_id)
);

create table gha_pull_requests_requested_reviewers (
    pull_request_id bigint not null,
    event_id bigint not null,
    requested_reviewer_id bigint not null,
    primary key (pull_request_id, event_id, requested_reviewer_id)
);

create table gha_branches (
    sha character varying(40) not null,
    event_id bigint not null,
    user_id bigint,
    repo_id bigint,
    dup_created_at timestamp not null,
    primary key (sha, event_id)
);

create table gha_forkees (
    id bigint not null,
    event_id bigint not null,
    name character varying(80) not null,
    full_name character varying(200) not null,
    owner_id bigint not null,
    updated_at timestamp not null,
    stargazers_count integer not null,
    forks integer not null,
    open_issues integer not null,
    watchers integer not null,
    dup_actor_id bigint not null,
    dup_repo_id bigint not null,
    dup_repo_name character varying(160) not null,
    dup_created_at timestamp not null,
    primary key (id, event_id)
);
