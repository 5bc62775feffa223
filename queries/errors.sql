-- title: Which calls failed, by process and error
select comm as process, type, error, count(*) as times, min(ts) as first, max(ts) as last
from events
where failed
group by all
order by times desc, process, type, error
