-- Forgets what an hour held, before it is read anew from a file that may be another.
delete from quarantine where hour = %(hour)s and source = %(source)s
