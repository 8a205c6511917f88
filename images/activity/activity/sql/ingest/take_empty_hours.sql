-- Takes over hours without events, unless the database holds hours of the other source.
insert into hours (dt, source, events)
select empty.dt, %(source)s, 0
from unnest(%(hours)s::timestamp[]) as empty (dt)
where not exists (select from hours where source <> %(source)s)
order by 1
on conflict do nothing
