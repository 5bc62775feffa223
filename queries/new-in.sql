-- title: Which programs, addresses and written files only one capture has
-- description: Needs at least two captures.
-- parameters:
--   capture: {type: text, description: file name of that capture}
with things as (
  select distinct 'program' as kind, exe as name, filename from processes
  union select distinct 'address', net_dip, filename from network_flow
  union select distinct 'file', file_path, filename from file_flow where flow_wops > 0
)
select kind, name
from things
group by kind, name
having bool_and(filename = $capture)
order by kind, name
