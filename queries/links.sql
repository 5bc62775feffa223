-- title: Which links and directories were made, and by whom
select ts, array_to_string(opflags, ' ') as operation, file_path as path, file_newpath as new_path, ret as result,
  proc_exe as program, proc_pid as pid
from file_event
where list_has_any(opflags, ['LINK', 'SYMLINK', 'MKDIR'])
order by ts_uts, idx
