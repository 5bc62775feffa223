-- title: Activity in steps of time
-- description: >
--   The step is an interval or its text. Flows count in the step in which they started. Steps without activity are
--   left out.
-- example: from timeline('1 second')
CREATE MACRO timeline(step) AS TABLE
SELECT time_bucket(CAST(step AS INTERVAL), ts) AS start,
  count(*) FILTER (type = 'PE' AND list_contains(opflags, 'CLONE')) AS clones,
  count(*) FILTER (type = 'PE' AND list_contains(opflags, 'EXEC')) AS execs,
  count(*) FILTER (type = 'PE' AND list_contains(opflags, 'EXIT')) AS exits,
  count(*) FILTER (type = 'FE') AS file_events,
  count(*) FILTER (type = 'FF') AS file_flows,
  count(*) FILTER (type = 'NF') AS network_flows,
  CAST(coalesce(sum(flow_rbytes) FILTER (type = 'FF'), 0) AS BIGINT) AS file_bytes_read,
  CAST(coalesce(sum(flow_wbytes) FILTER (type = 'FF'), 0) AS BIGINT) AS file_bytes_written,
  CAST(coalesce(sum(flow_rbytes) FILTER (type = 'NF'), 0) AS BIGINT) AS network_bytes_read,
  CAST(coalesce(sum(flow_wbytes) FILTER (type = 'NF'), 0) AS BIGINT) AS network_bytes_written
FROM sysflow WHERE ts IS NOT NULL GROUP BY 1 ORDER BY 1
