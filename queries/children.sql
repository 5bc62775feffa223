-- title: Parents and the programs they started, with counts
select parent.exe as parent, child.exe as child, count(*) as started, min(child.ts) as first
from processes child left join processes parent on parent.pid = child.ppid
where child.ts is not null
group by all
order by started desc, parent, child
