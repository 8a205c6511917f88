-- What GH Archive tells: names, columns, types and keys are DevStats's.
create table gha_events (
    id bigint not null,
    type character varying(40) not null,
    actor_id bigint not null,
    repo_id bigint not null,
    created_at timestamp not null,
    org_id bigint,
    dup_actor_login character varying(120) not null,
    dup_repo_name character varying(160) not null,
    primary key (id)
);

create table gha_payloads (
    event_id bigint not null,
    push_id bigint,
    size integer,
    ref character varying(200),
    head character varying(40),
    befor character varying(40),
    action character varying(40),
    issue_id bigint,
    pull_request_id bigint,
    comment_id bigint,
    number integer,
    forkee_id bigint,
    release_id bigint,
    member_id bigint,
    commit character varying(40),
    dup_actor_login character varying(120) not null,
    dup_repo_id bigint not null,
    dup_repo_name character varying(160) not null,
    dup_type character varying(40) not null,
    dup_created_at timestamp not null,
    primary key (event_id)
);

create table gha_actors (
    id bigint not null,
    login character varying(120) not null,
    name character varying(120),
    country_id character varying(2),
    sex character varying(1),
    sex_prob double precision,
    tz character varying(40),
    tz_offset integer,
    country_name text,
    age integer,
    primary key (id, login)
);

create table gha_repos (
    id bigint not null,
    name character varying(160) not null,
    org_id bigint,
    org_login character varying(100),
    repo_group character varying(80),
    alias character varying(160),
    license_key character varying(30),
    license_name character varying(160),
    license_prob double precision,
    created_at timestamp default now(),
    updated_at timestamp default now(),
    primary key (id, name)
);

create table gha_orgs (
    id bigint not null,
    login character varying(100) not null,
    primary key (id)
);

create table gha_pull_requests (
    id bigint not null,
    event_id bigint not null,
    user_id bigint not null,
    base_sha character varying(40) not null,
    head_sha character varying(40) not null,
    merged_by_id bigint,
    assignee_id bigint,
    milestone_id bigint,
    number integer not null,
    state character varying(20) not null,
    locked boolean,
    title text not null,
    body text,
    created_at timestamp not null,
    updated_at timestamp not null,
    closed_at timestamp,
    merged_at timestamp,
    merge_commit_sha character varying(40),
    merged boolean,
    mergeable boolean,
    rebaseable boolean,
    mergeable_state character varying(20),
    comments integer,
    review_comments integer,
    maintainer_can_modify boolean,
    commits integer,
    additions integer,
    deletions integer,
    changed_files integer,
    dup_actor_id bigint not null,
    dup_actor_login character varying(120) not null,
    dup_repo_id bigint not null,
    dup_repo_name character varying(160) not null,
    dup_type character varying(40) not null,
    dup_created_at timestamp not null,
    dup_user_login character varying(120) not null,
    dupn_merged_by_login character varying(120),
    primary key (id, event_id)
);

create table gha_parsed (
    dt timestamp not null,
    primary key (dt)
);

create index gha_events_created_at on gha_events (created_at);
create index gha_pull_requests_event_id on gha_pull_requests (event_id);
