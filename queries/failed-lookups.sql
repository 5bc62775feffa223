-- title: Which names did not exist or could not be looked up
-- description: Unencrypted DNS only, as far as the capture contains the data.
select comm as process, container_name as container, lower(name) as name, type, rcode as result, server_ip as server,
  count(*) as times, min(ts) as first
from dns
where section = 'question' and rcode <> 'NOERROR'
group by all
order by times desc, process, name, type
