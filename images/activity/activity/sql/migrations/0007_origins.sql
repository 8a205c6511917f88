-- Where DevStats's tables do not say enough: events stored under another id than they came with, or that came without
-- one, and what tells them from others; and pushes whose commits the archive does not have, for git to fill in.
create table event_origins (
    event_id bigint primary key,
    original_id bigint,
    digest bigint
);

create table missing_commits (
    event_id bigint primary key,
    repo_id bigint not null,
    repo_name character varying(160) not null,
    ref character varying(200),
    befor character varying(40),
    head character varying(40),
    expected integer,
    held integer not null,
    created_at timestamp not null,
    filled_at timestamptz
);
