-- title: Which ports programs served or connected to
select net_dport as port, case when list_contains(opflags, 'ACCEPT') then 'served' else 'called' end as side,
  string_agg(distinct proc_name, ', ' order by proc_name) as programs, count(*) as flows,
  sum(flow_rbytes + flow_wbytes) as bytes
from network_flow
group by all
order by flows desc, port, side
