-- Keeps bytes that are no event; those of the same place that were seen before are replaced.
insert into quarantine (hour, source, line, start, length, reason, detail, bytes)
values (%(hour)s, %(source)s, %(line)s, %(start)s, %(length)s, %(reason)s, %(detail)s, %(bytes)s)
on conflict (hour, source, start, reason) do update
set line = excluded.line,
    length = excluded.length,
    detail = excluded.detail,
    bytes = excluded.bytes
