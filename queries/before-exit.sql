-- title: What happened in the seconds before a process ended
-- parameters:
--   pid: {type: integer, description: process id}
--   seconds: {type: seconds, default: 5, description: seconds before the end}
select e.ts, e.pid, e.comm, e.type, e.fd_name, e.result, e.error
from events e, (select max(endts_uts) as "end" from processes where pid = $pid) p
where e.ts_uts between p."end" - $seconds * 1e9 and p."end" and (e.direction = 'exit' or e.type = 'procexit')
order by e.number
