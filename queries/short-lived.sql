-- title: Which processes lived less than a time
-- parameters:
--   below: {type: seconds, default: 1, description: longest life in seconds}
select ts, pid, ppid, duration / 1e6 as milliseconds, exit_code, cmdline
from processes
where duration < $below * 1e9
order by ts_uts, pid
