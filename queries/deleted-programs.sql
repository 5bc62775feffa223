-- title: Which executed programs had their file deleted
select d.ts as deleted, d.file_path as path, d.proc_exe as deleted_by, x.pid, x.ts as executed
from file_event d join (
  select proc_exe, ts, ts_uts, proc_pid as pid from process_event where list_contains(opflags, 'EXEC')
) x on x.proc_exe = d.file_path
where list_contains(d.opflags, 'UNLINK') and d.ret = 0
order by d.ts_uts, x.pid
