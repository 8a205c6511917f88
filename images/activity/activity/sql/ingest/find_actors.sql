-- The newest account of each login.
select login, max(id) from gha_actors where login = any(%(names)s) group by login
