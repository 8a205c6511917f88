-- Commits, releases, pages and teams, as DevStats keeps them.
create table gha_commits (
    sha character varying(40) not null,
    event_id bigint not null,
    author_name character varying(160) not null,
    message text not null,
    is_distinct boolean not null,
    dup_actor_id bigint not null,
    dup_actor_login character varying(120) not null,
    dup_repo_id bigint not null,
    dup_repo_name character varying(160) not null,
    dup_type character varying(40) not null,
    dup_created_at timestamp not null,
    author_email character varying(160) not null default '',
    committer_name character varying(160) not null default '',
    committer_email character varying(160) not null default '',
    author_id bigint,
    committer_id bigint,
    dup_author_login character varying(120) not null default '',
    dup_committer_login character varying(120) not null default '',
    loc_added integer,
    loc_removed integer,
    files_changed integer,
    origin smallint not null default 0,
    inserted_at timestamp default now(),
    primary key (sha, event_id)
);

create table gha_commits_roles (
    sha character varying(40) not null,
    event_id bigint not null,
    role character varying(120) not null,
    actor_id bigint,
    actor_login character varying(120) not null default '',
    actor_name character varying(160) not null default '',
    actor_email character varying(160) not null default '',
    dup_repo_id bigint not null,
    dup_repo_name character varying(160) not null,
    dup_created_at timestamp not null,
    primary key (sha, event_id, role, actor_email)
);

create table gha_commits_files (
    sha character varying(40) not null,
    path text not null,
    size bigint not null,
    dt timestamp not null,
    ext text not null default '',
    primary key (sha, path)
);

create table gha_events_commits_files (
    sha character varying(40) not null,
    event_id bigint not null,
    path text not null,
    size bigint not null,
    dt timestamp not null,
    repo_group character varying(80),
    dup_repo_id bigint not null,
    dup_repo_name character varying(160) not null,
    ext text not null default '',
    primary key (sha, event_id, path)
);

create table gha_skip_commits (
    sha character varying(40) not null,
    dt timestamp not null,
    reason integer not null,
    primary key (sha, reason)
);

create table gha_releases (
    id bigint not null,
    event_id bigint not null,
    tag_name character varying(200) not null,
    target_commitish character varying(200) not null,
    name character varying(200),
    draft boolean not null,
    author_id bigint not null,
    prerelease boolean not null,
    created_at timestamp not null,
    published_at timestamp,
    body text,
    dup_actor_id bigint not null,
    dup_actor_login character varying(120) not null,
    dup_repo_id bigint not null,
    dup_repo_name character varying(160) not null,
    dup_type character varying(40) not null,
    dup_created_at timestamp not null,
    dup_author_login character varying(120) not null,
    primary key (id, event_id)
);

create table gha_assets (
    id bigint not null,
    event_id bigint not null,
    name character varying(200) not null,
    label character varying(120),
    uploader_id bigint not null,
    content_type character varying(80) not null,
    state character varying(20) not null,
    size integer not null,
    download_count integer not null,
    created_at timestamp not null,
    updated_at timestamp not null,
    dup_actor_id bigint not null,
    dup_actor_login character varying(120) not null,
    dup_repo_id bigint not null,
    dup_repo_name character varying(160) not null,
    dup_type character varying(40) not null,
    dup_created_at timestamp not null,
    dup_uploader_login character varying(120) not null,
    primary key (id, event_id)
);

create table gha_releases_assets (
    release_id bigint not null,
    event_id bigint not null,
    asset_id bigint not null,
    primary key (release_id, event_id, asset_id)
);

create table gha_pages (
    sha character varying(40) not null,
    event_id bigint not null,
    action character varying(40) not null,
    title character varying(300) not null,
    dup_actor_id bigint not null,
    dup_actor_login character varying(120) not null,
    dup_repo_id bigint not null,
    dup_repo_name character varying(160) not null,
    dup_type character varying(40) not null,
    dup_created_at timestamp not null,
    primary key (sha, event_id, action, title)
);

create table gha_teams (
    id bigint not null,
    event_id bigint not null,
    name character varying(120) not null,
    slug character varying(100) not null,
    permission character varying(20) not null,
    dup_actor_id bigint not null,
    dup_actor_login character varying(120) not null,
    dup_repo_id bigint not null,
    dup_repo_name character varying(160) not null,
    dup_type character varying(40) not null,
    dup_created_at timestamp not null,
    primary key (id, event_id)
);

create table gha_teams_repositories (
    team_id bigint not null,
    event_id bigint not null,
    repository_id bigint not null,
    primary key (team_id, event_id, repository_id)
);
