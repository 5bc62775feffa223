-- title: Who wrote files that start programs or allow logins (cron, systemd, profiles, keys)
select ts, proc_exe as program, proc_pid as pid, proc_user as "user", file_path as path, flow_wbytes as bytes
from file_flow
where flow_wops > 0 and regexp_matches(file_path,
  '^/etc/(cron|systemd|init|rc|profile|ld\.so|pam|sudoers|ssh)|^/var/spool/cron|/\.(bash|zsh|profile|ssh/|config/(autostart|systemd))|^/(usr/)?lib/systemd/')
order by ts_uts, idx
