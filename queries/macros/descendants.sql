-- title: A process and all its descendants, as in `processes`, with their depth
-- description: Every process that had this pid counts. Descendants below depth 256 are left out.
-- example: select depth, pid, cmdline from descendants(1) order by depth
CREATE MACRO descendants(of_pid) AS TABLE
WITH RECURSIVE numbered AS (
  SELECT *, coalesce(ts_uts, 0) AS started, row_number() OVER () AS node FROM processes
), linked AS (
  SELECT child.node, parent.node AS above
  FROM numbered child ASOF JOIN numbered parent
    ON child.filename = parent.filename AND coalesce(child.forked_by, child.ppid) = parent.pid AND child.started >= parent.started
  WHERE parent.node <> child.node
), walk(node, depth) AS (
  SELECT node, 0 FROM numbered WHERE pid = of_pid
  UNION
  SELECT linked.node, depth + 1 FROM walk JOIN linked ON linked.above = walk.node WHERE depth < 256
), nearest AS (
  SELECT node, min(depth) AS depth FROM walk GROUP BY node
)
SELECT depth, numbered.* EXCLUDE (started, node) FROM numbered JOIN nearest USING (node)
