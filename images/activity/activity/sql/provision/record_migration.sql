-- Records a migration, in the transaction that applied it.
insert into schema_migrations (version, name) values (%(version)s, %(name)s)
