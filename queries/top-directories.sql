-- title: Which directories were read and written most
-- parameters:
--   most: {type: integer, default: 50, description: maximum rows}
select file_directory as directory, count(distinct file_path) as files, sum(flow_rbytes) as read, sum(flow_wbytes) as written
from file_flow
where file_type = 'f'
group by all
order by sum(flow_rbytes + flow_wbytes) desc, directory
limit $most
