-- title: Which connections transferred the most bytes
-- parameters:
--   bytes: {type: integer, default: 1000, description: minimum bytes in both directions}
select proc_exe as program, proc_pid as pid, net_dip as address, net_dport as port,
  sum(flow_rbytes) as received, sum(flow_wbytes) as sent, min(ts) as first, max(endts) as last
from network_flow
group by proc_exe, proc_pid, net_dip, net_dport
having sum(flow_rbytes) + sum(flow_wbytes) >= $bytes
order by received + sent desc, program
