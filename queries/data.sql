-- title: Bytes read from and written to a file, pipe or connection, in order
-- description: The column text has data that is plain ASCII, the column data has the bytes in any case.
-- parameters:
--   name: {type: text, description: part of the name of the descriptor}
select ts, pid, comm as process, type, case when starts_with(category, 'IO') then category end as direction, fd_name,
  octet_length(buffer) as bytes,
  case when not regexp_matches(hex(buffer), '^(..)*(0[0-8BCEF]|1[0-9A-F]|[89A-F][0-9A-F])') then decode(buffer) end as text,
  buffer as data
from events
where buffer is not null and contains(fd_name, $name)
order by number
