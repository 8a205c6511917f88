-- Those of these extensions that this database lacks, that the server has, and that who asks may make.
select extension.name
from pg_available_extensions extension
join pg_available_extension_versions version
    on version.name = extension.name and version.version = extension.default_version
where extension.name = any(%(names)s)
  and extension.installed_version is null
  and (version.trusted or not version.superuser or (select rolsuper from pg_roles where rolname = current_user))
order by extension.name
