-- title: All processes as a tree, parents before their children
-- description: >
--   depth counts from the first ancestor in the capture; tree is the name, indented. Processes below depth 256 have no
--   depth and come last.
-- example: select tree, pid, duration / 1e9 as seconds, cmdline from process_tree()
CREATE MACRO process_tree() AS TABLE
WITH RECURSIVE numbered AS (
  SELECT *, coalesce(ts_uts, 0) AS started,
    row_number() OVER (ORDER BY filename, ts_uts NULLS FIRST, pid) AS node
  FROM processes
), linked AS (
  SELECT child.node, CASE WHEN parent.node <> child.node THEN parent.node END AS above
  FROM numbered child ASOF LEFT JOIN numbered parent
    ON child.filename = parent.filename AND coalesce(child.forked_by, child.ppid) = parent.pid AND child.started >= parent.started
), walk(node, depth, place) AS (
  SELECT node, 0, [node] FROM linked WHERE above IS NULL
  UNION ALL
  SELECT linked.node, depth + 1, CASE WHEN depth < 64 THEN list_append(place, linked.node) ELSE place END
  FROM walk JOIN linked ON linked.above = walk.node
  WHERE depth < 256
)
SELECT depth, concat(repeat('  ', least(depth, 64)), coalesce(parse_filename(nullif(exe, '')), comm)) AS tree,
  numbered.* EXCLUDE (started, node)
FROM numbered LEFT JOIN walk USING (node)
ORDER BY place NULLS LAST, depth, node
