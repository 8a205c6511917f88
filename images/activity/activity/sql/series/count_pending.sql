-- How many periods wait to be computed.
select count(*) from series_pending
