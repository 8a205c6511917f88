-- The hours without events that one database has not taken over yet, by where they came from.
select source, array_agg(dt order by dt) from empty_hours where database = %(database)s group by source
