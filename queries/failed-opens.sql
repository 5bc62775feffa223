-- title: Which opens failed, by whom, with which error
select error, arguments['name'] as name, exe as program, count(*) as times, min(ts) as first
from events
where type in ('open', 'openat', 'openat2', 'creat') and direction = 'exit' and failed
group by all
order by times desc, name, program
