-- How many hours of each period in a window are held: what a chart may call zero and what it must call missing.
select date_trunc(case %(period)s when 'h' then 'hour' else 'day' end, dt), count(*) from hours
  where dt >= %(start)s and dt < %(end)s
  group by 1;
