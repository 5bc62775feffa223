-- title: Which users ran what
select uid, "user", count(*) as processes, count(distinct exe) as programs,
  string_agg(distinct comm, ', ' order by comm) as names
from processes
group by all
order by processes desc, uid
