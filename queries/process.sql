-- title: Everything that one process and its descendants did
-- parameters:
--   pid: {type: integer, description: process id}
select ts, proc_pid as pid, proc_name as process, type, array_to_string(opflags, ' ') as operations,
  coalesce(file_path, case when net_dip is not null then concat(net_sip, ':', net_sport, ' -> ', net_dip, ':', net_dport) end,
    proc_cmdline) as object,
  flow_rbytes as read, flow_wbytes as written
from sysflow
where proc_pid in (select pid from descendants($pid))
order by ts_uts, idx
