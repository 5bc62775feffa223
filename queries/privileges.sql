-- title: Who changed user, group or capabilities
select ts, pid, comm as process, exe as program, type, args, result, error
from events
where type in ('setuid', 'setgid', 'setreuid', 'setregid', 'setresuid', 'setresgid', 'setfsuid', 'setfsgid', 'capset')
  and direction = 'exit'
order by number
