-- title: Which HTTP requests were made, and how were they answered
-- description: Unencrypted HTTP/1 only. A request with both ends in the capture has a row for each end.
with paired as (
  select *, lead(status) over connection as answer, lead(latency) over connection as time
  from http
  where status is null or status >= 200
  window connection as (partition by filename, pid, fd, fd_name order by number)
)
select ts, pid, comm as process, container_name as container,
  case direction when 'sent' then 'client' else 'server' end as role,
  method, coalesce(host, server_ip) as host, target, answer as status, time / 1e6 as milliseconds
from paired
where kind = 'request'
order by ts, number
