-- Connections of clients now, and how many the server takes.
select count(*), current_setting('max_connections') from pg_stat_activity where backend_type = 'client backend'
