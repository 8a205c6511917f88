-- Marks an hour as read, where DevStats looks for it.
insert into gha_parsed (dt) values (%(hour)s) on conflict do nothing
