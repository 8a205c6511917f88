-- Forgets an index that is there again.
delete from deferred_indexes where name = %(name)s
