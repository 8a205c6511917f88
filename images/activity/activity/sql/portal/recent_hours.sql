-- Events of each of the last hours up to the newest, null where an hour is not held.
select events from generate_series(
    %(newest)s::timestamp - (%(count)s - 1) * interval '1 hour', %(newest)s::timestamp, interval '1 hour'
  ) as wanted (dt)
  left join hours using (dt)
  order by dt;
