-- Whether the server still replays.
select pg_is_in_recovery()
