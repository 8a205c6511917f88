-- The databases of gha_admin.
select datname from pg_database where datallowconn and pg_get_userbyid(datdba) = 'gha_admin' order by datname
