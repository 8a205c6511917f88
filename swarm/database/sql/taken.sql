-- What a server was told: by its file, of each name the last line, and by the arguments that it was started with.
select distinct on (name) lower(name), translate(setting, E'\n\t', '  '), place
from (
    select name, setting, 'file', seqno from pg_file_settings
    union all
    select name, setting, 'argument', 0 from pg_settings where source = 'command line'
) told (name, setting, place, line)
order by name, line desc
