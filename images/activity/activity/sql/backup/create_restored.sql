-- An empty database for what a dump holds; template0 has nothing that could be in its way.
create database {database} owner gha_admin template template0
