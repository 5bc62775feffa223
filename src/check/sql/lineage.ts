import type { DuckDBConnection } from '@duckdb/node-api';
import { lineageTable } from './rows.js';

// Process ancestry. A row names its process and its parent. Earlier ancestors are looked up by time
// in the table of processes, which has a row for each change of a process.

/**
 * Maximum processes in a lineage for conditions, and maximum ancestors before the parent in
 * findings.
 */
const maxForConditions = 32;
const maxForFindings = 14;

/** Maximum characters of all lineages. */
const maxCharacters = 256 << 20;

/** Maximum length of an ancestor's command line. */
const maxText = 1024;

const history = 'sfkit_check_history';
const parents = 'sfkit_check_parents';

/**
 * Creates the tables of process versions over time and of parents. Processes that started before
 * the capture have no start time, so those of different captures cannot be distinguished.
 */
export async function prepareHistory(connection: DuckDBConnection): Promise<void> {
  await connection.run(`CREATE TEMP TABLE ${history} AS
    SELECT *, CASE WHEN version = 1 THEN -9223372036854775808 ELSE ts_uts END AS since,
      min(place) OVER (PARTITION BY pid, createts) AS first_place FROM (
      SELECT proc_pid AS pid, proc_createts AS createts, ts_uts, place, proc_name AS name, proc_exe AS exe,
        concat_ws(' ', proc_exe, nullif(proc_args, '')) AS line,
        {'exe': proc_exe, 'args': proc_args, 'uid': proc_uid, 'user': proc_user, 'gid': proc_gid, 'group': proc_group,
          'tty': proc_tty, 'entry': proc_entry} AS parent, pproc_pid AS ppid, pproc_createts AS pcreatets,
        row_number() OVER (PARTITION BY proc_pid, proc_createts ORDER BY ts_uts, place) AS version
      FROM (SELECT *, row_number() OVER () AS place FROM process)
      WHERE proc_pid IS NOT NULL AND proc_createts IS NOT NULL AND ts_uts IS NOT NULL
        AND (proc_createts <> 0 OR (SELECT count(DISTINCT filename) FROM header) <= 1))`);
  await connection.run(`CREATE TEMP TABLE ${parents} AS
    SELECT pid, createts, arg_max(ppid, place) AS ppid, arg_max(pcreatets, place) AS pcreatets
    FROM ${history} WHERE ppid IS NOT NULL GROUP BY pid, createts`);
}

/**
 * Creates the table that rowsSql() joins: each process with its ancestors as they were when the
 * process was first seen, like in the SysFlow processor. False if the lineages are too large; the
 * table is then empty.
 */
export async function prepareLineages(connection: DuckDBConnection): Promise<boolean> {
  const chains = 'sfkit_check_chains';
  await connection.run(`CREATE TEMP TABLE ${chains} AS
    WITH RECURSIVE chain AS (
      SELECT DISTINCT pid, createts, first_place, pid AS apid, createts AS acreatets, 0 AS depth FROM ${history}
      UNION ALL
      SELECT chain.pid, chain.createts, chain.first_place, above.ppid, above.pcreatets, depth + 1 FROM chain JOIN ${parents} above
        ON chain.apid = above.pid AND chain.acreatets = above.createts
        JOIN ${history} seen ON above.ppid = seen.pid AND above.pcreatets = seen.createts AND seen.place = seen.first_place
        WHERE depth < ${maxForConditions - 1} AND seen.first_place < chain.first_place)
    SELECT * FROM chain`);
  const steps = `FROM ${chains} chain ASOF JOIN ${history} version
    ON chain.apid = version.pid AND chain.acreatets = version.createts AND chain.first_place >= version.place`;
  const line = `left(version.line, ${maxText})`;
  const sizes = await connection.runAndReadAll(
    `SELECT coalesce(sum(length(${line}) + length(version.exe) + length(version.name)), 0) <= ${maxCharacters} ${steps}`,
  );
  const fits = sizes.getRows()[0]?.[0] === true;
  const text = (value: string) => `list(${value} ORDER BY depth)`;
  await connection.run(`CREATE TEMP TABLE ${lineageTable} AS
    SELECT chain.pid, chain.createts, ${text('version.name')} AS names, ${text('version.exe')} AS exes,
      ${text(line)} AS lines, list(version.pid ORDER BY depth) AS pids,
      any_value(version.parent) FILTER (depth = 1) AS parent
    ${steps} WHERE ${fits} GROUP BY chain.pid, chain.createts`);
  await connection.run(`DROP TABLE ${chains}`);
  return fits;
}

/**
 * SELECT of `seq` and `ancestors` for rows of (seq, pid, createts, moment). `ancestors` is a list
 * of (pid, name, exe, line) and starts with the parent of that process.
 */
export function ancestorsSql(rows: string): string {
  return `SELECT seq, list({'pid': version.pid, 'name': version.name, 'exe': version.exe,
      'line': left(version.line, ${maxText})} ORDER BY depth) AS ancestors
    FROM (WITH RECURSIVE chain AS (
        SELECT seq, moment, ppid AS pid, pcreatets AS createts, 1 AS depth FROM (${rows}) JOIN ${parents} USING (pid, createts)
        UNION ALL
        SELECT seq, moment, ppid, pcreatets, depth + 1 FROM chain JOIN ${parents} above USING (pid, createts)
          WHERE depth < ${maxForFindings})
      SELECT * FROM chain) chain
    ASOF JOIN ${history} version ON chain.pid = version.pid AND chain.createts = version.createts
      AND chain.moment >= version.since
    GROUP BY seq`;
}
