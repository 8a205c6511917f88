-- What hours held that is no event: its place, why it could not be kept, and its first bytes.
create table quarantine (
    hour timestamp not null,
    source text not null check (source in ('archive', 'simulated')),
    line bigint not null,
    start bigint not null,
    length bigint not null,
    reason text not null,
    detail text not null,
    bytes bytea not null,
    seen_at timestamptz not null default now(),
    primary key (hour, source, start, reason)
);
create index quarantine_seen_at on quarantine (seen_at);
