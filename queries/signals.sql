-- title: Who sent which signal to whom
select ts, pid, comm as process, type, arguments['sig'] as signal, arguments['pid'] as target, result, error
from events
where type in ('kill', 'tkill', 'tgkill') and direction = 'exit'
order by number
