-- What ran: DevStats's table of messages, and one row for each run of a verb.
create table gha_logs (
    id bigserial not null,
    dt timestamp default now(),
    prog character varying(32) not null,
    proj character varying(32) not null,
    run_dt timestamp not null,
    msg text
);
create index gha_logs_dt on gha_logs (dt);

create table runs (
    id bigserial primary key,
    verb text not null,
    project text not null,
    started_at timestamptz not null,
    ended_at timestamptz not null default clock_timestamp(),
    words text not null
);
create index runs_ended_at on runs (ended_at);
