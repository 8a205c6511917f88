-- What DevStats derives from events, what it knows of people and repositories, and its books.
create table gha_texts (
    event_id bigint,
    body text,
    created_at timestamp not null,
    actor_id bigint not null,
    actor_login character varying(120) not null,
    repo_id bigint not null,
    repo_name character varying(160) not null,
    type character varying(40) not null
);

create table gha_issues_events_labels (
    issue_id bigint not null,
    event_id bigint not null,
    label_id bigint not null,
    label_name character varying(160) not null,
    created_at timestamp not null,
    actor_id bigint not null,
    actor_login character varying(120) not null,
    repo_id bigint not null,
    repo_name character varying(160) not null,
    type character varying(40) not null,
    primary key (issue_id, event_id, label_id)
);

create table gha_issues_pull_requests (
    issue_id bigint not null,
    pull_request_id bigint not null,
    number integer not null,
    repo_id bigint not null,
    repo_name character varying(160) not null,
    created_at timestamp not null
);

create table gha_actors_affiliations (
    actor_id bigint not null,
    company_name character varying(160) not null,
    original_company_name character varying(160) not null,
    dt_from timestamp not null,
    dt_to timestamp not null,
    source character varying(30) not null default '',
    primary key (actor_id, company_name, dt_from, dt_to)
);

create table gha_actors_emails (
    actor_id bigint not null,
    email character varying(120) not null,
    origin smallint not null default 0,
    primary key (actor_id, email)
);

create table gha_actors_names (
    actor_id bigint not null,
    name character varying(120) not null,
    origin smallint not null default 0,
    primary key (actor_id, name)
);

create table gha_companies (
    name character varying(160) not null,
    primary key (name)
);

create table gha_countries (
    code character varying(2) not null,
    name text not null,
    primary key (code)
);

create table gha_bot_logins (
    pattern text not null,
    primary key (pattern)
);

create table gha_repo_groups (
    id bigint not null,
    name character varying(160) not null,
    repo_group character varying(80) not null,
    org_id bigint,
    org_login character varying(100),
    alias character varying(160),
    primary key (id, name, repo_group)
);

create table gha_repos_langs (
    repo_name character varying(160) not null,
    lang_name character varying(60) not null,
    lang_loc bigint not null,
    lang_perc double precision not null,
    dt timestamp default now(),
    primary key (repo_name, lang_name)
);

create table gha_imported_shas (
    sha text not null,
    dt timestamp not null default now(),
    primary key (sha)
);

create table gha_computed (
    metric text not null,
    dt timestamp not null,
    primary key (metric, dt)
);

create table gha_last_computed (
    metric text not null,
    dt timestamp not null,
    start_dt timestamp,
    took bigint,
    took_as_str text,
    command text,
    primary key (metric)
);

create table gha_vars (
    name character varying(100) not null,
    value_i bigint,
    value_f double precision,
    value_s text,
    value_dt timestamp,
    primary key (name)
);

create table gha_postprocess_scripts (
    ord integer not null,
    path text not null,
    primary key (ord, path)
);

create table gha_logs (
    id bigserial not null,
    dt timestamp default now(),
    prog character varying(32) not null,
    proj character varying(32) not null,
    run_dt timestamp not null,
    msg text
);
