-- When a metric was last computed, and how many touched periods still wait.
select
  (select max(computed_at) from series_state where metric = %(metric)s and period = %(period)s),
  (select count(*) from series_pending where period = %(period)s);
