-- The tables of schema public that hold rows themselves.
select c.relname
from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relpersistence = 'p'
order by c.relname
