-- What one metric measured.
create temporary table measured (
    period text not null,
    time timestamp not null,
    series text not null,
    value double precision not null,
    primary key (period, time, series)
) on commit drop
