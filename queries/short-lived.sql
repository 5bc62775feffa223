-- title: Which processes lived only briefly
-- parameters:
--   below: {type: seconds, default: 1, description: maximum lifetime}
select ts, pid, ppid, duration / 1e6 as milliseconds, exit_code, cmdline
from processes
where duration < $below * 1e9
order by ts_uts, pid
