-- title: The start of the step of time that a moment is in
-- description: The step is an interval or its text.
-- example: select bucket(ts, '10 seconds') as start, count(*) from file_flow group by 1 order by 1
CREATE MACRO bucket(moment, step) AS time_bucket(CAST(step AS INTERVAL), moment)
