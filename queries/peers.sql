-- title: Which addresses programs communicated with, and how many bytes
select case when list_contains(opflags, 'ACCEPT') then net_sip else net_dip end as address,
  any_value(case when not list_contains(opflags, 'ACCEPT') then net_dname end) as name,
  string_agg(distinct proc_name, ', ' order by proc_name) as programs, count(*) as flows,
  sum(flow_rbytes) as received, sum(flow_wbytes) as sent
from network_flow
group by all
order by received + sent desc, address
