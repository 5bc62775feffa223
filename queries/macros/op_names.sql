-- title: The names of the operations in a bitmap, such as `opflags_bitmap`
-- example: select op_names(3)
CREATE MACRO op_names(bits) AS
CASE WHEN bits IS NOT NULL THEN list_filter([
  CASE WHEN (bits >> 0) & 1 = 1 THEN 'CLONE' END,
  CASE WHEN (bits >> 1) & 1 = 1 THEN 'EXEC' END,
  CASE WHEN (bits >> 2) & 1 = 1 THEN 'EXIT' END,
  CASE WHEN (bits >> 3) & 1 = 1 THEN 'SETUID' END,
  CASE WHEN (bits >> 4) & 1 = 1 THEN 'SETNS' END,
  CASE WHEN (bits >> 5) & 1 = 1 THEN 'ACCEPT' END,
  CASE WHEN (bits >> 6) & 1 = 1 THEN 'CONNECT' END,
  CASE WHEN (bits >> 7) & 1 = 1 THEN 'OPEN' END,
  CASE WHEN (bits >> 8) & 1 = 1 THEN 'READ_RECV' END,
  CASE WHEN (bits >> 9) & 1 = 1 THEN 'WRITE_SEND' END,
  CASE WHEN (bits >> 10) & 1 = 1 THEN 'CLOSE' END,
  CASE WHEN (bits >> 11) & 1 = 1 THEN 'TRUNCATE' END,
  CASE WHEN (bits >> 12) & 1 = 1 THEN 'SHUTDOWN' END,
  CASE WHEN (bits >> 13) & 1 = 1 THEN 'MMAP' END,
  CASE WHEN (bits >> 14) & 1 = 1 THEN 'DIGEST' END,
  CASE WHEN (bits >> 15) & 1 = 1 THEN 'MKDIR' END,
  CASE WHEN (bits >> 16) & 1 = 1 THEN 'RMDIR' END,
  CASE WHEN (bits >> 17) & 1 = 1 THEN 'LINK' END,
  CASE WHEN (bits >> 18) & 1 = 1 THEN 'UNLINK' END,
  CASE WHEN (bits >> 19) & 1 = 1 THEN 'SYMLINK' END,
  CASE WHEN (bits >> 20) & 1 = 1 THEN 'RENAME' END
], lambda name: name IS NOT NULL) END
