-- A role that can do nothing yet.
create role {role}
