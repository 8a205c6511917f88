-- Lets the planner know what was loaded.
analyze
