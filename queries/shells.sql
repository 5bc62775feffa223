-- title: Which servers and other programs started a shell
-- description: Recognizes a shell by its executable, so sh counts even if it is dash or bash.
select child.ts, parent.exe as parent, parent.pid as parent_pid, child.pid, child.exe as shell, child.cmdline,
  child."user", child.container_name as container
from processes child join processes parent on parent.pid = child.ppid
where regexp_matches(child.exe, '/(a|ba|da|k|mk|c|tc|z|fi)?sh$')
  and not regexp_matches(parent.exe, '/((a|ba|da|k|mk|c|tc|z|fi)?sh|sshd|login|su|sudo|tmux.*|screen)$')
  and child.ts is not null
order by child.ts_uts, child.pid
