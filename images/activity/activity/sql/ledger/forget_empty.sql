-- Forgets hours that a database has taken over.
delete from empty_hours where database = %(database)s and dt = any(%(hours)s)
