-- title: What ran, with start, duration, exit code and command line
-- description: Processes that are older than the capture come first; they have no start.
select pid, ppid, ts, duration / 1e9 as seconds, exit_code, signal, "user", container_name, cmdline
from processes
order by ts_uts nulls first, pid
