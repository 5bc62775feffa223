import type { DuckDBConnection } from '@duckdb/node-api';
import { lineageTable } from './rows.js';

// Who started whom. A row names its process and its parent as they were. What the table of processes says of those
// before them is found by time: it has a row each time a process changed.

/** Ancestors that conditions can ask for, beyond the parent, and those that findings have. */
const mostForConditions = 64;
const mostForFindings = 14;

/** Rows of the table of lineages at most. */
const mostLineages = 2_000_000;

/** So much of an ancestor's command line is given. */
const mostText = 1024;

const history = 'sfkit_check_history';
const parents = 'sfkit_check_parents';

/**
 * Makes the tables of what each process was from when on, and of its parent. A process of before the capture has no
 * time by which it could be told from one of another capture.
 */
export async function prepareHistory(connection: DuckDBConnection): Promise<void> {
  await connection.run(`CREATE TEMP TABLE ${history} AS
    SELECT pid, createts, CASE WHEN version = 1 THEN -9223372036854775808 ELSE ts_uts END AS since, ts_uts,
      name, exe, line, ppid, pcreatets FROM (
      SELECT proc_pid AS pid, proc_createts AS createts, ts_uts, proc_name AS name, proc_exe AS exe,
        concat_ws(' ', proc_exe, nullif(proc_args, '')) AS line, pproc_pid AS ppid, pproc_createts AS pcreatets,
        row_number() OVER (PARTITION BY proc_pid, proc_createts ORDER BY ts_uts) AS version
      FROM process WHERE proc_pid IS NOT NULL AND proc_createts IS NOT NULL AND ts_uts IS NOT NULL
        AND (proc_createts <> 0 OR (SELECT count(DISTINCT filename) FROM header) <= 1))`);
  await connection.run(`CREATE TEMP TABLE ${parents} AS
    SELECT pid, createts, arg_max(ppid, ts_uts) AS ppid, arg_max(pcreatets, ts_uts) AS pcreatets
    FROM ${history} WHERE ppid IS NOT NULL GROUP BY pid, createts`);
}

/**
 * Makes the table that rowsSql() joins: for each process that is a parent, what was before it from when on. False where
 * processes change so often that it would be too large; then it is empty.
 */
export async function prepareLineages(connection: DuckDBConnection): Promise<boolean> {
  const chains = 'sfkit_check_chains';
  await connection.run(`CREATE TEMP TABLE ${chains} AS
    WITH RECURSIVE chain AS (
      SELECT pid, createts, ppid AS apid, pcreatets AS acreatets, 1 AS depth FROM ${parents}
      UNION ALL
      SELECT chain.pid, chain.createts, ppid, pcreatets, depth + 1 FROM chain JOIN ${parents} above
        ON chain.apid = above.pid AND chain.acreatets = above.createts WHERE depth < ${mostForConditions})
    SELECT * FROM chain`);
  const times = `SELECT DISTINCT chain.pid, chain.createts, since FROM ${chains} chain JOIN ${history} version
    ON chain.apid = version.pid AND chain.acreatets = version.createts`;
  const counted = await connection.runAndReadAll(`SELECT count(*) FROM ${chains} chain JOIN ${history} version
    ON chain.apid = version.pid AND chain.acreatets = version.createts`);
  const fits = (counted.getRows()[0]?.[0] as bigint) <= BigInt(mostLineages);
  const text = (column: string) => `list(coalesce(version.${column}, '') ORDER BY depth)`;
  await connection.run(`CREATE TEMP TABLE ${lineageTable} AS
    SELECT moment.pid, moment.createts, moment.since, ${text('name')} AS names, ${text('exe')} AS exes,
      ${text('line')} AS lines, list(version.pid ORDER BY depth) AS pids
    FROM (SELECT chain.*, moment.since FROM (${times}) moment JOIN ${chains} chain USING (pid, createts)
      WHERE ${fits}) moment
    ASOF JOIN ${history} version ON moment.apid = version.pid AND moment.acreatets = version.createts
      AND moment.since >= version.since
    GROUP BY moment.pid, moment.createts, moment.since`);
  return fits;
}

/**
 * SELECT of `seq` and `ancestors`, a list of (pid, name, exe, line), for rows of (seq, pid, createts, moment): what was
 * before that process.
 */
export function ancestorsSql(rows: string): string {
  return `SELECT seq, list({'pid': version.pid, 'name': version.name, 'exe': version.exe,
      'line': left(version.line, ${mostText})} ORDER BY depth) AS ancestors
    FROM (WITH RECURSIVE chain AS (
        SELECT seq, moment, ppid AS pid, pcreatets AS createts, 1 AS depth FROM (${rows}) JOIN ${parents} USING (pid, createts)
        UNION ALL
        SELECT seq, moment, ppid, pcreatets, depth + 1 FROM chain JOIN ${parents} above USING (pid, createts)
          WHERE depth < ${mostForFindings})
      SELECT * FROM chain) chain
    ASOF JOIN ${history} version ON chain.pid = version.pid AND chain.createts = version.createts
      AND chain.moment >= version.since
    GROUP BY seq`;
}
