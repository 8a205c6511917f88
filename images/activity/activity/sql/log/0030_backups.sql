-- What came of each backup, dump, restore and check, well or badly.
create table backups (
    id bigserial primary key,
    kind text not null check (kind in ('full', 'differential', 'dump', 'restore', 'verify')),
    project text not null default '',
    started_at timestamptz not null,
    ended_at timestamptz not null default clock_timestamp(),
    failed boolean not null,
    bytes bigint not null default 0,
    words text not null
);
create index backups_ended_at on backups (ended_at);
