-- title: Which processes ended with an error or by a signal
select endts, pid, ppid, exit_code, signal, duration / 1e9 as seconds, cmdline
from processes
where exit_code <> 0 or signal <> 0
order by endts_uts, pid
