-- title: Which HTTP requests failed, by status
-- description: Responses with status 400 and higher; unencrypted HTTP/1 only.
select comm as process, container_name as container, direction, status, any_value(reason) as reason,
  server_ip as server, server_port as port, count(*) as times, max(latency) / 1e6 as milliseconds, min(ts) as first
from http
where status >= 400
group by comm, container_name, direction, status, server_ip, server_port
order by times desc, process, status
