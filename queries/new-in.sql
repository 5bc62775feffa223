-- title: What programs, addresses and written files one capture has that the others lack
-- description: Give two captures or more.
-- parameters:
--   capture: {type: text, description: file name of the capture that is looked at}
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
