-- Moves the rows of new events into their table; of rows with one key the first of the hour counts.
insert into {table} ({columns})
select distinct on ({key}) {columns}
from {staging} as staged
where exists (select from staged_gha_events as event where event.line = staged.line)
order by {key}, line
on conflict do nothing
