-- title: All processes as a tree, parents before their children
-- description: >
--   depth counts from the first ancestor in the capture; tree is the name, indented. Processes below depth 256 have no
--   depth and come last.
-- example: select tree, pid, duration / 1e9 as seconds, cmdline from process_tree()
CREATE MACRO process_tree() AS TABLE
WITH RECURSIVE linked AS MATERIALIZED (
  FROM linked_processes()
), walk(node, depth, place) AS (
  SELECT node, 0, [node] FROM linked WHERE above IS NULL
  UNION ALL
  SELECT linked.node, depth + 1, CASE WHEN depth < 64 THEN list_append(place, linked.node) ELSE place END
  FROM walk JOIN linked ON linked.above = walk.node
  WHERE depth < 256
)
SELECT depth, concat(repeat('  ', least(depth, 64)), coalesce(parse_filename(nullif(exe, '')), comm)) AS tree,
  linked.* EXCLUDE (started, node, above)
FROM linked LEFT JOIN walk USING (node)
ORDER BY place NULLS LAST, depth, node
