-- title: Which files and directories were deleted or renamed, and by whom
select ts, array_to_string(opflags, ' ') as operation, file_path as path, file_newpath as new_path, ret as result,
  proc_exe as program, proc_pid as pid, proc_user as "user"
from file_event
where list_has_any(opflags, ['UNLINK', 'RMDIR', 'RENAME'])
order by ts_uts, idx
