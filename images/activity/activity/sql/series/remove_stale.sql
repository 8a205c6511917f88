-- Removes the points of touched periods that the metric measures no more.
delete from series as point
using touched
where point.metric = %(metric)s
    and point.period = touched.period
    and point.time = touched.start
    and not exists (
        select from measured
        where measured.period = point.period and measured.time = point.time and measured.series = point.series
    )
