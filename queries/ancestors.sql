-- title: The ancestors of a process, starting with the process
-- parameters:
--   pid: {type: integer, description: process id}
select distance, pid, ts, "user", exe, cmdline
from ancestors($pid)
order by distance, ts_uts desc nulls last
