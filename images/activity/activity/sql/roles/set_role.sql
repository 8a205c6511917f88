-- What a role may do and how it proves who it is; the password is already a SCRAM verifier.
alter role {role} with login nosuperuser nocreaterole {replication} nobypassrls {createdb} password {verifier}
