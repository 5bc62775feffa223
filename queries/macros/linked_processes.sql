-- title: The processes with a number for each and the number of the one that made it
-- description: >
--   node numbers the rows, and above is the node of the process that made it, or null. started is 0 for processes that
--   are older than the capture. Numbers hold for one use of the macro.
-- example: select node, above, pid, cmdline from linked_processes() order by node
CREATE MACRO linked_processes() AS TABLE
WITH numbered AS MATERIALIZED (
  SELECT *, coalesce(ts_uts, 0) AS started,
    row_number() OVER (ORDER BY filename, ts_uts NULLS FIRST, pid) AS node
  FROM processes
)
SELECT child.*, CASE WHEN parent.node <> child.node THEN parent.node END AS above
FROM numbered child ASOF LEFT JOIN numbered parent
  ON child.filename = parent.filename AND coalesce(child.forked_by, child.ppid) = parent.pid
    AND child.started >= parent.started
