-- title: Which calls took longest
-- description: Needs enter events; captures with only exit events have no durations.
-- parameters:
--   most: {type: integer, default: 50, description: maximum rows}
select ts, latency / 1e6 as milliseconds, pid, comm as process, type, fd_name, args
from events
where latency > 0
order by latency desc, number
limit $most
