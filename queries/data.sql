-- title: Bytes read from and written to a file, pipe or connection, in order
-- parameters:
--   name: {type: text, description: part of the name of the descriptor}
select ts, pid, comm as process, type, case when starts_with(category, 'IO') then category end as direction, fd_name,
  octet_length(buffer) as bytes, buffer as data
from events
where buffer is not null and contains(fd_name, $name)
order by number
