-- title: Which programs connect to the most addresses and ports
select proc_exe as program, container_name as container, count(distinct net_dip) as addresses,
  count(distinct net_dport) as ports, count(*) as flows
from network_flow
where not list_contains(opflags, 'ACCEPT')
group by all
order by addresses desc, ports desc, program
