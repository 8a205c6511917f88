-- The organisation of each login.
select login, max(id) from gha_orgs where login = any(%(names)s) group by login
