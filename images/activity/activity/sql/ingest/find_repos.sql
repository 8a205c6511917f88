-- The repositories of these names, one for each organisation.
select name, org_id, max(id) from gha_repos where name = any(%(names)s) group by name, org_id
