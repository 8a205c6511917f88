-- Waits a few seconds for everybody to leave the database, and keeps newcomers out meanwhile.
alter database {old} rename to {new}
