-- A database of gha_admin; template0, since anyone may be connected to template1.
create database {database} owner gha_admin encoding 'UTF8' template template0
