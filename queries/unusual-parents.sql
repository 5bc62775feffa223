-- title: Pairs of parent and program that occur only once
select min(child.ts) as ts, parent.exe as parent, child.exe as child, any_value(child.cmdline) as cmdline
from processes child join processes parent on parent.pid = child.ppid
where child.ts is not null and child.exe <> parent.exe
group by parent.exe, child.exe
having count(*) = 1
order by ts, child
