-- title: Which processes read and wrote the most
-- parameters:
--   most: {type: integer, default: 50, description: maximum rows}
select proc_pid as pid, proc_exe as program,
  sum(flow_rbytes) filter (type = 'FF') as file_read, sum(flow_wbytes) filter (type = 'FF') as file_written,
  sum(flow_rbytes) filter (type = 'NF') as received, sum(flow_wbytes) filter (type = 'NF') as sent
from sysflow
where type in ('FF', 'NF')
group by all
order by sum(flow_rbytes + flow_wbytes) desc, pid
limit $most
