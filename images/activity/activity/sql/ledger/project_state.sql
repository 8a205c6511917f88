-- Events of all hours, when series were last computed, periods that wait, indexes that wait for the end of a backfill.
select
    (select coalesce(sum(events), 0) from hours),
    (select max(computed_at) from series_state),
    (select count(*) from series_pending),
    (select count(*) from deferred_indexes)
