-- title: Who was connected with whom, and how many bytes went each way
-- description: A connection with both ends in the capture counts once, at its client.
with flows as (
  select *, list_has_any(opflags, ['ACCEPT']) as inbound from network_flow
), seen_twice as (
  select net_sip, net_sport, net_dip, net_dport from flows
  group by all having count(distinct inbound) = 2
)
select proc_exe as program, container_name as container,
  case when inbound then 'in' else 'out' end as direction,
  case net_proto when 6 then 'tcp' when 17 then 'udp' when 1 then 'icmp' else net_proto::varchar end as protocol,
  case when inbound then net_sip else net_dip end as peer,
  any_value(case when not inbound then net_dname end) as name,
  net_dport as port, count(distinct (net_sip, net_sport)) as connections,
  sum(flow_rbytes) as received, sum(flow_wbytes) as sent
from flows
where not (inbound and (net_sip, net_sport, net_dip, net_dport) in (from seen_twice))
group by all
order by received + sent desc, program, peer, port
