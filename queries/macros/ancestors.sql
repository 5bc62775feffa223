-- title: A process and its ancestors, as in `processes`, with their distance
-- description: Every process that had this pid counts. Ancestors beyond distance 256 are left out.
-- example: select distance, pid, cmdline from ancestors(1203) order by distance
CREATE MACRO ancestors(of_pid) AS TABLE
WITH RECURSIVE numbered AS (
  SELECT *, coalesce(ts_uts, 0) AS started, row_number() OVER () AS node FROM processes
), linked AS (
  SELECT child.node, parent.node AS above
  FROM numbered child ASOF JOIN numbered parent
    ON child.filename = parent.filename AND coalesce(child.forked_by, child.ppid) = parent.pid AND child.started >= parent.started
  WHERE parent.node <> child.node
), walk(node, distance) AS (
  SELECT node, 0 FROM numbered WHERE pid = of_pid
  UNION
  SELECT linked.above, distance + 1 FROM walk JOIN linked USING (node) WHERE distance < 256
), nearest AS (
  SELECT node, min(distance) AS distance FROM walk GROUP BY node
)
SELECT distance, numbered.* EXCLUDE (started, node) FROM numbered JOIN nearest USING (node)
