-- Whether a database has had a migration.
select 1 from schema_migrations where version = %(version)s
