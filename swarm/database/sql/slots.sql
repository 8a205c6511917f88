-- Replication slots: whether somebody reads them, and how much log is kept for them.
select slot_name, case when active then 'active' else 'not active' end,
    coalesce(pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), '-')
from pg_replication_slots
order by 1
