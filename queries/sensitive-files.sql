-- title: Who read passwords, keys and tokens
select ts, proc_exe as program, proc_pid as pid, proc_user as "user", file_path as path, flow_rbytes as bytes
from file_flow
where regexp_matches(file_path,
  '^/etc/(shadow|gshadow|sudoers|ssl/private)|/\.(ssh|aws|kube|docker|gnupg)/|/(id_rsa|id_ed25519|\.netrc|\.pgpass)|/secrets/|/serviceaccount/')
order by ts_uts, idx
