-- id: shell-writes
-- title: Shell wrote files
-- level: medium
-- tags: [persistence]
-- description: Files that a shell opened for writing.
SELECT *
FROM file_flow
WHERE proc_name IN ('sh', 'bash', 'dash') AND file_is_open_write
