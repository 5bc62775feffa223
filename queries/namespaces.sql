-- title: Who entered or made namespaces, mounted, or changed the root
-- description: Escapes from containers go this way.
select ts, pid, comm as process, container_name as container, type, args, result, error
from events
where type in ('setns', 'unshare', 'mount', 'umount', 'umount2', 'pivot_root', 'chroot') and direction = 'exit'
order by number
