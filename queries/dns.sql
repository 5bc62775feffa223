-- title: Which names were looked up, by which process, and what was the answer
-- description: Unencrypted DNS only, as far as the capture contains the data. Without a response, result is null.
with messages as (
  select number, pid, comm, container_name, ts, direction,
    any_value(lower(name)) filter (section = 'question') as asked,
    any_value(type) filter (section = 'question') as asked_type,
    any_value(rcode) as rcode, any_value(latency) as latency,
    string_agg(answer, ', ' order by answer) as answers
  from dns
  group by filename, number, id, pid, comm, container_name, ts, direction
)
select comm as process, container_name as container, asked as name, asked_type as type,
  count(*) filter (direction = 'query') as queries, count(*) filter (direction = 'response') as responses,
  arg_max(rcode, number) as result, arg_max(answers, number) as answers,
  max(latency) / 1e6 as milliseconds, min(ts) as first
from messages
where asked is not null
group by all
order by first, name, type
