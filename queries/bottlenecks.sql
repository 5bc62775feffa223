-- title: Where each program spent its time, by call
select comm as process, type, count(*) as times, sum(latency) / 1e6 as milliseconds, max(latency) / 1e6 as longest
from events
where latency > 0
group by all
order by milliseconds desc, process, type
