-- title: How often each call was made, with errors and time
select type, category, count(*) as times, count(*) filter (failed) as failed, sum(latency) / 1e6 as milliseconds
from events
where direction = 'exit'
group by all
order by times desc, type
