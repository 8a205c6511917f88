-- Backfills: for whom, which hours, how far, and when the last sign of life was.
create table backfills (
    id bigserial primary key,
    projects text[] not null,
    first timestamp not null,
    last timestamp not null,
    hours integer not null,
    done integer not null default 0,
    failed integer not null default 0,
    events bigint not null default 0,
    started_at timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz
);
