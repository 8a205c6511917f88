-- Where the hours of the database came from; one that only gha_parsed knows is DevStats's own, so the archive's.
select 'simulated' where exists (select from hours where source = 'simulated')
union all
select 'archive' where exists (select from hours where source = 'archive')
    or exists (
        select from gha_parsed as parsed
        where not exists (select from hours where hours.dt = parsed.dt)
    )
