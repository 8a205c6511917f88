-- Makes room for the next metric.
drop table measured
