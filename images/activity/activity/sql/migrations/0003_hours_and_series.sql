-- Where each hour came from, which periods wait to be computed, and what was computed.
create table hours (
    dt timestamp primary key,
    source text not null check (source in ('archive', 'simulated')),
    events integer not null,
    parsed_at timestamptz not null default now()
);
create index hours_source on hours (source);

create table series_pending (
    period text,
    start timestamp,
    marked_at timestamptz,
    primary key (period, start)
);

create table series (
    metric text,
    period text,
    time timestamp,
    series text,
    value double precision,
    primary key (metric, period, series, time)
);

create table series_state (
    metric text,
    period text,
    computed_to timestamp,
    computed_at timestamptz,
    primary key (metric, period)
);
