-- title: A process and all its descendants, as in `processes`, with their depth
-- description: Every process that had this pid counts. Descendants below depth 256 are left out.
-- example: select depth, pid, cmdline from descendants(1) order by depth
CREATE MACRO descendants(of_pid) AS TABLE
WITH RECURSIVE linked AS MATERIALIZED (
  FROM linked_processes()
), walk(node, depth) AS (
  SELECT node, 0 FROM linked WHERE pid = of_pid
  UNION
  SELECT linked.node, depth + 1 FROM walk JOIN linked ON linked.above = walk.node WHERE depth < 256
), nearest AS (
  SELECT node, min(depth) AS depth FROM walk GROUP BY node
)
SELECT depth, linked.* EXCLUDE (started, node, above) FROM linked JOIN nearest USING (node)
