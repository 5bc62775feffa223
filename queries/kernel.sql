-- title: Who loaded kernel modules or eBPF programs, traced processes, or made executable memory files
select ts, pid, comm as process, container_name as container, type, args, result, error
from events
where type in ('init_module', 'finit_module', 'delete_module', 'bpf', 'ptrace', 'process_vm_writev', 'memfd_create')
  and direction = 'exit'
order by number
