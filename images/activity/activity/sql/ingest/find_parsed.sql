-- Whether the database has an hour.
select 1 from gha_parsed where dt = %(hour)s
