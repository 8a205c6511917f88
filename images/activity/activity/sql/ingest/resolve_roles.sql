-- Whose names the trailers of commits mean: by address, by name, by the account's name, by its login, in this order.
with unknown as (
    select distinct actor_email, actor_name
    from gha_commits_roles
    where actor_id = 0 and actor_name = any(%(names)s)
)
update gha_commits_roles as role
set actor_id = person.id, actor_login = person.login
from unknown
cross join lateral (
    select found.id, found.login
    from (
        select 1 as rank, actor.id, actor.login
        from gha_actors_emails as email
        join gha_actors as actor on actor.id = email.actor_id
        where email.email = unknown.actor_email
        union all
        select 2, actor.id, actor.login
        from gha_actors_names as name
        join gha_actors as actor on actor.id = name.actor_id
        where name.name = unknown.actor_name
        union all
        select 3, actor.id, actor.login from gha_actors as actor where actor.name = unknown.actor_name
        union all
        select 4, actor.id, actor.login from gha_actors as actor where actor.login = unknown.actor_name
    ) as found
    order by found.rank, found.id desc, found.login
    limit 1
) as person
where role.actor_id = 0 and role.actor_name = unknown.actor_name and role.actor_email = unknown.actor_email
    and person.id <> 0
