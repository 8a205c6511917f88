-- The hours of a range that a database has, and how many events each had for it.
select dt, events from hours where source = %(source)s and dt between %(first)s and %(last)s
