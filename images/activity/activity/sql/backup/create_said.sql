-- Takes what a program beside the server says, for one transaction.
create temporary table said (line bigint generated always as identity, words text) on commit drop
