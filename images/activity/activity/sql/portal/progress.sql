-- How far a project has come: hours held, how many of them simulated, the oldest and the newest,
-- and when the last was stored.
select count(*), count(*) filter (where source = 'simulated'), min(dt), max(dt), max(parsed_at)
  from hours;
