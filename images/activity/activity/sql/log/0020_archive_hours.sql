-- How it went with each hour of an archive, and the hours in which a project had no event: those its database takes
-- over from here when its series are computed, so that an hour costs nothing for projects that have nothing in it.
create table archive_hours (
    source text not null check (source in ('archive', 'simulated')),
    dt timestamp not null,
    state text not null check (state in ('missing', 'failing', 'given up', 'read', 'salvaged', 'skipped')),
    attempts integer not null,
    first_tried_at timestamptz not null,
    last_tried_at timestamptz not null,
    next_try_at timestamptz,
    projects integer not null default 0,
    events integer not null default 0,
    seconds double precision,
    error text not null default '',
    problem text not null default '',
    primary key (source, dt)
);
create index archive_hours_open on archive_hours (source, dt) where state in ('missing', 'failing', 'given up');

create table empty_hours (
    database text not null,
    dt timestamp not null,
    source text not null,
    read_at timestamptz not null default now(),
    primary key (database, dt)
);
