-- title: Who changed file modes and owners
select ts, pid, comm as process, type, args, result, error
from events
where type in ('chmod', 'fchmod', 'fchmodat', 'fchmodat2', 'chown', 'lchown', 'fchown', 'fchownat') and direction = 'exit'
order by number
