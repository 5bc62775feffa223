-- title: Activity per time step, by kind of event
-- parameters:
--   step: {type: seconds, default: 1, description: length of a step}
select make_timestamp_ns(ts_uts - ts_uts % ($step * 1e9)::bigint) as time, count(*) as events,
  count(*) filter (category = 'file' or starts_with(category, 'IO')) as files,
  count(*) filter (category = 'net') as network, count(*) filter (category = 'process') as processes,
  count(*) filter (failed) as failed
from events
group by all
order by time
