-- The periods that a computation measures: from start up to, but without, finish.
create temporary table touched (
    period text not null,
    start timestamp not null,
    finish timestamp not null,
    primary key (period, start)
) on commit drop
