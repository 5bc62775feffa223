-- title: A connection by port, both directions in order, as text
-- description: Shows only the parts that are plain ASCII; @data shows all of them.
-- parameters:
--   port: {type: integer, description: local or remote port}
select ts, comm as process, type, fd_name, decode(buffer) as text
from events
where buffer is not null and fd_type in ('ipv4', 'ipv6')
  and (contains(fd_name, ':' || $port || '->') or ends_with(fd_name, ':' || $port))
  and not regexp_matches(hex(buffer), '^(..)*(0[0-8BCEF]|1[0-9A-F]|[89A-F][0-9A-F])')
order by number
