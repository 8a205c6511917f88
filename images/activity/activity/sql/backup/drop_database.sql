-- Removes a database and whoever is connected to it.
drop database if exists {database} with (force)
