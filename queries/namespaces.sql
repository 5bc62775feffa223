-- title: Who entered or created namespaces, mounted file systems, or changed the root
-- description: Container escapes use these calls.
select ts, pid, comm as process, container_name as container, type, args, result, error
from events
where type in ('setns', 'unshare', 'mount', 'umount', 'umount2', 'pivot_root', 'chroot') and direction = 'exit'
order by number
