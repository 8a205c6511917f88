-- Who may come into a database is no part of its dump: as for every project, the owner and the two readers.
revoke all on database {database} from public;
grant connect on database {database} to ro_user, devstats_team
