-- The snapshot's name, and the server that has it: its own address (null on a local socket), its port, its version.
select pg_export_snapshot(), coalesce(host(inet_server_addr()), ''), coalesce(inet_server_port(), 0),
       current_setting('server_version')
