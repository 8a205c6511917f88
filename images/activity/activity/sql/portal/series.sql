-- The stored results of one metric in a window.
select time, series, value from series
  where metric = %(metric)s and period = %(period)s and time >= %(start)s and time < %(end)s
  order by time, series;
