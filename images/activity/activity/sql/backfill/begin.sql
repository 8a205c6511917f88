-- Records that a backfill begins.
insert into backfills (projects, first, last, hours)
values (%(projects)s, %(first)s, %(last)s, %(hours)s)
returning id
