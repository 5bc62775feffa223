-- title: Which files were written in given directories, and by whom
-- parameters:
--   below: {type: text, default: '/etc,/tmp,/usr/bin', description: directories, separated by commas}
select file_path as path, proc_exe as program, "proc_user" as "user", container_name as container,
  sum(flow_wbytes) as bytes, min(ts) as first, max(endts) as last
from file_flow
where flow_wops > 0
  and len(list_filter(string_split($below, ','), lambda directory: starts_with(file_path, directory || '/'))) > 0
group by all
order by bytes desc, path, program
