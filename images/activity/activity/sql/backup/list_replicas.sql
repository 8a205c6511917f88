-- The addresses of the replicas that stream from this server.
select distinct host(client_addr) from pg_stat_replication where client_addr is not null
