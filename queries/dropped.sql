-- title: Which files were written and then executed
select w.path, w.program as writer, w.bytes, w.written, x.ts as executed, x.pid, x.cmdline
from (
  select file_path as path, proc_exe as program, sum(flow_wbytes) as bytes, min(ts) as written, min(ts_uts) as at
  from file_flow where flow_wops > 0 group by all
) w join (
  select proc_exe, ts, ts_uts, proc_pid as pid, proc_cmdline as cmdline
  from process_event where list_contains(opflags, 'EXEC') and ret = 0
) x on x.proc_exe = w.path and x.ts_uts >= w.at
order by x.ts_uts, x.pid
