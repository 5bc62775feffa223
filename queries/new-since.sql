-- title: Which programs, addresses and written files are new since a time
-- parameters:
--   since: {type: time, description: time in UTC}
select 'program' as kind, exe as name, min(ts) as first from processes
group by exe having min(coalesce(ts_uts, 0)) >= epoch_ns($since::timestamp_ns)
union all
select 'address', net_dip, min(ts) from network_flow
group by net_dip having min(ts_uts) >= epoch_ns($since::timestamp_ns)
union all
select 'file', file_path, min(ts) from file_flow where flow_wops > 0
group by file_path having min(ts_uts) >= epoch_ns($since::timestamp_ns)
order by first, kind, name
