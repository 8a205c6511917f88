-- Records an hour and its source, unless the database holds hours of the other source.
insert into hours (dt, source, events)
select %(hour)s, %(source)s, %(events)s
where not exists (select from hours where source <> %(source)s)
on conflict (dt) do update
set source = excluded.source, events = excluded.events, parsed_at = excluded.parsed_at
