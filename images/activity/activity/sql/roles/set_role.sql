-- What a role may do, how many connections it may hold (-1: any), and how it proves who it is: by a SCRAM verifier.
alter role {role} with login nosuperuser nocreaterole {replication} nobypassrls {createdb}
    connection limit {connections} password {verifier}
