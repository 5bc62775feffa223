-- title: Who listens where
-- description: Sockets that listened before the capture started are missing.
select ts, pid, exe as program, fd_name as socket, fd_type as family, container_name as container
from events
where type = 'listen' and direction = 'exit' and result = 0
order by number
