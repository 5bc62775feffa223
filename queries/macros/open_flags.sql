-- title: The names of open flags, such as those of `file_openflags`
-- description: The numbers are those of the capture format, not those of the kernel.
-- example: select distinct open_flags(file_openflags) from file_flow
CREATE MACRO open_flags(bits) AS
CASE WHEN bits IS NOT NULL THEN list_filter([
  CASE bits & 3 WHEN 1 THEN 'O_RDONLY' WHEN 2 THEN 'O_WRONLY' WHEN 3 THEN 'O_RDWR' END,
  CASE WHEN bits & 4 <> 0 THEN 'O_CREAT' END,
  CASE WHEN bits & 8 <> 0 THEN 'O_APPEND' END,
  CASE WHEN bits & 16 <> 0 THEN 'O_DSYNC' END,
  CASE WHEN bits & 32 <> 0 THEN 'O_EXCL' END,
  CASE WHEN bits & 64 <> 0 THEN 'O_NONBLOCK' END,
  CASE WHEN bits & 128 <> 0 THEN 'O_SYNC' END,
  CASE WHEN bits & 256 <> 0 THEN 'O_TRUNC' END,
  CASE WHEN bits & 512 <> 0 THEN 'O_DIRECT' END,
  CASE WHEN bits & 1024 <> 0 THEN 'O_DIRECTORY' END,
  CASE WHEN bits & 2048 <> 0 THEN 'O_LARGEFILE' END,
  CASE WHEN bits & 4096 <> 0 THEN 'O_CLOEXEC' END,
  CASE WHEN bits & 8192 <> 0 THEN 'O_TMPFILE' END,
  CASE WHEN bits & 16384 <> 0 THEN 'O_F_CREATED' END,
  CASE WHEN bits & 32768 <> 0 THEN 'FD_UPPER_LAYER' END,
  CASE WHEN bits & 65536 <> 0 THEN 'FD_LOWER_LAYER' END,
  CASE WHEN bits & 1073741824 <> 0 THEN 'PATH_DOUBTFUL' END
], lambda name: name IS NOT NULL) END
