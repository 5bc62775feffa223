-- title: The rows of `sysflow` that touch a time span around a moment
-- description: The span is an interval (`interval 5 seconds`) or its text (`'5 seconds'`), before and after.
-- example: select ts, type, proc_name, file_path from around('2026-03-02 10:00:03', '1 second')
CREATE MACRO around(moment, span) AS TABLE
SELECT * FROM sysflow
WHERE ts_uts <= epoch_ns(CAST(moment AS TIMESTAMP_NS)) + epoch_ns(CAST(span AS INTERVAL))
  AND coalesce(endts_uts, ts_uts) >= epoch_ns(CAST(moment AS TIMESTAMP_NS)) - epoch_ns(CAST(span AS INTERVAL))
