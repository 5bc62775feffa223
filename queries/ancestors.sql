-- title: The ancestors of a process, starting with the process
-- parameters:
--   pid: {type: integer, description: process id}
with recursive line(depth, pid) as (
  select 0, $pid::bigint
  union
  select depth + 1, parent.ppid from line join processes parent on parent.pid = line.pid
  where parent.ppid is not null and depth < 100
)
select depth, p.pid, p.ts, p."user", p.exe, p.cmdline
from line join processes p on p.pid = line.pid
order by depth, p.ts_uts desc nulls last
