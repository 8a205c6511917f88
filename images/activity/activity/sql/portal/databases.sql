-- Which databases the server holds: a project without one has not been ingested yet.
select datname from pg_database where datallowconn;
