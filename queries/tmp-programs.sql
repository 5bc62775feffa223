-- title: Which programs ran from temporary directories
select ts, pid, ppid, exe, cmdline, exit_code, "user", container_name as container
from processes
where regexp_matches(exe, '^(/var)?/tmp/|^/dev/shm/|^/run/user/|^memfd:')
order by ts_uts, pid
