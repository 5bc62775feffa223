-- title: Which files calls waited for the longest
-- parameters:
--   most: {type: integer, default: 50, description: maximum rows}
select fd_name as path, count(*) as calls, sum(latency) / 1e6 as milliseconds, max(latency) / 1e6 as longest
from events
where latency > 0 and fd_type in ('file', 'directory')
group by all
order by milliseconds desc, path
limit $most
