-- title: Which containers ran what, with how much network and file traffic
select container_id, container_name as container, container_image as image, count(distinct proc_pid) as processes,
  sum(flow_rbytes + flow_wbytes) filter (type = 'NF') as network_bytes,
  sum(flow_rbytes + flow_wbytes) filter (type = 'FF') as file_bytes
from sysflow
where container_id is not null
group by all
order by processes desc, container_id
