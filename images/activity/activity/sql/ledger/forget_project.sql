-- Forgets the hours without events of a database that is gone.
delete from empty_hours where database = %(database)s
