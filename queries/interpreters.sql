-- title: Which interpreters ran, and with which script
select ts, pid, ppid, exe, cmdline, "user", cwd
from processes
where regexp_matches(exe, '/((a|ba|da|k|z)?sh|python[0-9.]*|perl[0-9.]*|ruby[0-9.]*|node(js)?|php[0-9.]*|lua[0-9.]*|awk|gawk|mawk)$')
order by ts_uts nulls first, pid
