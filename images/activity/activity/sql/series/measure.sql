-- Runs a metric over the touched periods.
insert into measured (period, time, series, value)
{metric}
