-- Every setting as the server has it, in its own words.
select name, current_setting(name) from pg_settings
