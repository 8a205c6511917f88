-- Marks the hours that were taken over as read, where DevStats looks for it.
insert into gha_parsed (dt)
select dt from hours where dt = any(%(hours)s::timestamp[]) order by 1
on conflict do nothing
