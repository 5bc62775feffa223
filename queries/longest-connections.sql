-- title: Which connections lasted longest
-- parameters:
--   most: {type: integer, default: 50, description: maximum rows}
select proc_exe as program, proc_pid as pid, net_sip, net_sport, net_dip, net_dport,
  any_value(net_dname) as name, min(ts) as first, max(endts) as last, (max(endts_uts) - min(ts_uts)) / 1e9 as seconds,
  sum(flow_rbytes) as received, sum(flow_wbytes) as sent
from network_flow
group by proc_exe, proc_pid, net_sip, net_sport, net_dip, net_dport
order by seconds desc, first
limit $most
