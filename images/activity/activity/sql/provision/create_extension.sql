-- An extension, where everybody finds it.
create extension if not exists {extension} with schema public
