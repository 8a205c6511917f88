-- Adds what events share and the database lacks, sorted so that hours at once do not lock each other out.
insert into {table} ({columns})
select {columns}
from json_populate_recordset(null::{table}, %(rows)s)
order by {key}
on conflict do nothing
returning {columns}
