-- Leaves in staging only events that the database lacks; tells of ids that stand for another event already.
with known as (
    delete from staged_gha_events as staged
    where exists (select from gha_events as event where event.id = staged.id)
        or exists (
            select from staged_gha_events as earlier
            where earlier.id = staged.id and earlier.line < staged.line
        )
    returning staged.id, staged.type, staged.dup_repo_name, staged.created_at
)
select known.id
from known
join gha_events as event on event.id = known.id
where (event.type, event.dup_repo_name, event.created_at)
    is distinct from (known.type, known.dup_repo_name, known.created_at)
order by known.id
