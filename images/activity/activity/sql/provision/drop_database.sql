-- Drops a database; whoever is connected to it is sent away.
drop database {database} with (force)
