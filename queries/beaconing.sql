-- title: Which programs connect to one address repeatedly at regular intervals
-- parameters:
--   least: {type: integer, default: 3, description: minimum number of connections}
--   jitter: {type: number, default: 0.3, description: maximum deviation as a fraction of the mean}
with starts as (
  select proc_exe, net_dip, net_dport, ts_uts,
    (ts_uts - lag(ts_uts) over (partition by proc_exe, net_dip, net_dport order by ts_uts)) / 1e9 as gap
  from network_flow
  where list_contains(opflags, 'CONNECT')
)
select proc_exe as program, net_dip as address, net_dport as port, count(*) as connections,
  round(avg(gap), 3) as mean_seconds, round(stddev_pop(gap), 3) as deviation
from starts
group by all
having count(gap) >= $least - 1 and stddev_pop(gap) <= $jitter * avg(gap)
order by connections desc, program
