-- title: Which commands were started from terminals
select ts, "user", pid, ppid, cmdline, cwd, exit_code
from processes
where tty <> 0 and ts is not null
order by ts_uts, pid
