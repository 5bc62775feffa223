-- title: What ran, with start, duration, exit code and command line
-- description: Processes older than the capture come first; their start is unknown.
select pid, ppid, ts, duration / 1e9 as seconds, exit_code, signal, "user", container_name, cmdline
from processes
order by ts_uts nulls first, pid
