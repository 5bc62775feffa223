-- title: A process and its ancestors, as in `processes`, with their distance
-- description: Every process that had this pid counts. Ancestors beyond distance 256 are left out.
-- example: select distance, pid, cmdline from ancestors(1203) order by distance
CREATE MACRO ancestors(of_pid) AS TABLE
WITH RECURSIVE linked AS MATERIALIZED (
  FROM linked_processes()
), walk(node, distance) AS (
  SELECT node, 0 FROM linked WHERE pid = of_pid
  UNION
  SELECT linked.above, distance + 1 FROM walk JOIN linked USING (node)
  WHERE distance < 256 AND linked.above IS NOT NULL
), nearest AS (
  SELECT node, min(distance) AS distance FROM walk GROUP BY node
)
SELECT distance, linked.* EXCLUDE (started, node, above) FROM linked JOIN nearest USING (node)
