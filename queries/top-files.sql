-- title: Which files were read and written most
-- parameters:
--   most: {type: integer, default: 50, description: maximum rows}
select file_path as path, sum(flow_rbytes) as read, sum(flow_wbytes) as written, sum(flow_rops + flow_wops) as operations,
  count(distinct proc_pid) as processes
from file_flow
where file_type = 'f'
group by all
order by sum(flow_rbytes + flow_wbytes) desc, path
limit $most
