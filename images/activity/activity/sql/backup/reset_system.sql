-- Takes everything out of postgresql.auto.conf.
alter system reset all
