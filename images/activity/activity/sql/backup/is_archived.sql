-- Whether a segment of WAL, and so every one before it, is in the archive: names sort as they were written.
select coalesce(last_archived_wal >= %(wanted)s, false) from pg_stat_archiver where last_archived_wal !~ 'history'
