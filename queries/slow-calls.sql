-- title: Which calls took longest
-- description: Captures that hold only exit events do not say how long calls took.
-- parameters:
--   most: {type: integer, default: 50, description: rows}
select ts, latency / 1e6 as milliseconds, pid, comm as process, type, fd_name, args
from events
where latency > 0
order by latency desc, number
limit $most
