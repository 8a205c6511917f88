-- Whether the archive gave any hour after a moment: then it is not the archive that is away.
select exists (
    select from archive_hours
    where source = %(source)s and state in ('read', 'salvaged') and last_tried_at > %(moment)s
)
