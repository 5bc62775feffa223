import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import { quoteIdentifier } from '../../duckdb/sql-text.js';
import type { Summary } from '../../engine/session.js';
import type { Finding, Rule, RuleOutcome } from '../finding.js';
import type { RuleRun, RunOptions } from '../language.js';
import { prepareCalls } from './calls.js';
import { findingOf, foundColumns, foundValue } from './found.js';
import { ancestorsSql, prepareHistory, prepareLineages } from './lineage.js';
import type { FoundRow, RecordType, RowNeed, RowRule, SharedRows } from './row-rule.js';
import { identityColumnsOf, recordTypes, rowsSql, tableOf } from './rows.js';
import type { CheckTables } from './tables.js';
import { TupleEvaluator, type TypedRule } from './tuples.js';

/** Maximum distinct findings per input if repeats are folded. Further ones are only counted. */
const maxDistinct = 100_000;

/** Findings read by one statement. */
const findingsPerStatement = 20_000;

interface Totals {
  matches: number;
  leftOut: number;
}

/**
 * Evaluates rules that are conditions on rows, on one input: a capture, a SysFlow file, or tables.
 */
export class RowRun implements RuleRun {
  readonly #input: string;
  readonly #foldRepeats: boolean;
  readonly #tables: CheckTables;
  readonly #rules: readonly RowRule[];
  readonly #shared: SharedRows;
  readonly #failures = new Map<number, string>();
  readonly #totals = new Map<number, Totals>();
  readonly #found: string;
  #undescribed: { containers: bigint; seen: bigint } | undefined;
  #hasLineages = true;
  #hasCalls = true;
  #summary: Summary | undefined;

  constructor(
    input: string,
    { rules, foldRepeats, tables }: RunOptions,
    compile: (rule: Rule) => RowRule,
    shared: SharedRows = {},
  ) {
    this.#shared = shared;
    this.#input = input;
    this.#foldRepeats = foldRepeats;
    this.#tables = tables;
    this.#rules = rules.map(compile);
    this.#found = `sfkit_check_found_${nextRun++}`;
    tables.want(this.#types().map((type) => tableOf[type]));
    tables.want(['process', 'header']);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Finding> {
    const connection = await this.#tables.open();
    this.#summary = await this.#tables.summary();
    await this.#prepare(connection);
    for (const type of this.#types()) await this.#evaluate(connection, type);
    const count = await this.#number(connection);
    for (let from = 0; from < count; from += findingsPerStatement)
      yield* this.#read(connection, from, Math.min(from + findingsPerStatement, count));
    await connection.run(`DROP TABLE ${this.#found}`);
  }

  outcomes(): RuleOutcome[] {
    return this.#rules.map((compiled, number) => {
      const { matches, leftOut } = this.#totals.get(number) ?? { matches: 0, leftOut: 0 };
      const reason = this.#failures.get(number) ?? this.#reasonFor(compiled);
      const state = matches > 0 ? 'matched' : reason === undefined ? 'unmatched' : 'unevaluated';
      return {
        rule: compiled.rule,
        state,
        ...(reason === undefined ? {} : { reason }),
        matches,
        leftOut,
      };
    });
  }

  summary(): Summary {
    if (this.#summary === undefined) throw new Error('the input was not read to its end');
    return this.#summary;
  }

  #types(): RecordType[] {
    return recordTypes.filter((type) => this.#rulesFor(type).length > 0);
  }

  #rulesFor(type: RecordType): TypedRule[] {
    return this.#rules.flatMap((rule, number) => {
      const { condition: ofRule, types } = rule;
      const condition = typeof ofRule === 'object' ? ofRule[type] : ofRule;
      return condition === undefined || (types !== undefined && !types.includes(type))
        ? []
        : [{ ...rule, condition, number }];
    });
  }

  #needs(need: RowNeed): boolean {
    return this.#rules.some(({ needs }) => needs?.includes(need));
  }

  async #prepare(connection: DuckDBConnection): Promise<void> {
    await connection.run(
      `CREATE TEMP TABLE ${this.#found} (rule INTEGER, type VARCHAR, filename VARCHAR, idx BIGINT, ts_uts BIGINT, last BIGINT, count BIGINT)`,
    );
    const tables = this.#tables;
    await tables.once('history', () => prepareHistory(connection));
    if (this.#needs('ancestors'))
      this.#hasLineages = await tables.once('lineages', () => prepareLineages(connection));
    if (this.#needs('calls') || this.#needs('exact calls'))
      this.#hasCalls = await tables.once('calls', () =>
        prepareCalls(connection, this.#input, tables.options),
      );
    if (this.#needs('containers'))
      this.#undescribed = await undescribedContainers(connection, this.#types());
  }

  async #evaluate(connection: DuckDBConnection, type: RecordType): Promise<void> {
    const evaluator = new TupleEvaluator(connection, type, this.#shared);
    const failures = await evaluator.evaluate(this.#rulesFor(type), (matched) =>
      connection.run(this.#foundSql(type, matched)),
    );
    for (const [number, reason] of failures) this.#failures.set(number, reason);
  }

  #foundSql(type: RecordType, matched: string): string {
    if (!this.#foldRepeats)
      return `INSERT INTO ${this.#found} SELECT rule, '${type}', filename, idx, ts_uts, ts_uts, 1 FROM (${matched})`;
    const same = identityColumnsOf(type).map(quoteIdentifier).join(', ');
    const place = 'CAST(ts_uts AS HUGEINT) * 18446744073709551616 + idx';
    return `INSERT INTO ${this.#found}
      SELECT rule, '${type}', filename, coalesce(arg_min(idx, ${place}), min(idx)), min(ts_uts), max(ts_uts), count(*)
      FROM (${matched}) GROUP BY rule, filename, ${same}`;
  }

  /** Numbers the matches by time. Returns the number of findings. */
  async #number(connection: DuckDBConnection): Promise<number> {
    const found = this.#found;
    await connection.run(`CREATE OR REPLACE TEMP TABLE ${found} AS SELECT row_number() OVER () - 1 AS seq, * FROM (
      SELECT * FROM ${found} ORDER BY ts_uts, idx, filename, type, rule)`);
    const limit = this.#foldRepeats ? maxDistinct : Number.MAX_SAFE_INTEGER;
    const totals = await connection.runAndReadAll(
      `SELECT rule, CAST(sum(count) AS BIGINT), CAST(coalesce(sum(count) FILTER (seq >= ${limit}), 0) AS BIGINT), count(*) FROM ${found} GROUP BY rule`,
    );
    let count = 0n;
    for (const [rule, matches, leftOut, rows] of totals.getRows() as [
      number,
      bigint,
      bigint,
      bigint,
    ][]) {
      this.#totals.set(rule, { matches: Number(matches), leftOut: Number(leftOut) });
      count += rows;
    }
    return Math.min(Number(count), limit);
  }

  /** Reads the findings with numbers `from` to `to` - 1. */
  async *#read(connection: DuckDBConnection, from: number, to: number): AsyncGenerator<Finding> {
    const chunk = `SELECT * FROM ${this.#found} WHERE seq >= ${from} AND seq < ${to}`;
    const joined = this.#types().map(
      (
        type,
      ) => `SELECT found.seq, found.rule, found.count, found.last, ${foundColumns.map((name) => `line.${name}`).join(', ')}
        FROM (${chunk} AND type = '${type}') found JOIN (${rowsSql(type)}) line
        ON found.filename IS NOT DISTINCT FROM line.filename AND found.idx = line.idx
          AND found.ts_uts IS NOT DISTINCT FROM line.ts_uts`,
    );
    await connection.run(`CREATE OR REPLACE TEMP TABLE ${lines} AS ${joined.join(' UNION ALL ')}`);
    const moments = `SELECT seq, pproc_pid AS pid, pproc_createts AS createts, coalesce(endts_uts, ts_uts) AS moment FROM ${lines}
      WHERE pproc_pid IS NOT NULL`;
    const result = await connection.stream(
      `SELECT * FROM ${lines} LEFT JOIN (${ancestorsSql(moments)}) USING (seq) ORDER BY seq`,
    );
    const columns = result.columnNames();
    let last = -1n;
    for await (const rows of result.yieldRows()) {
      for (const values of rows) {
        const [seq, number, count, lastTs] = values as [bigint, number, bigint, bigint];
        // Foreign tables may contain two rows with the same number.
        if (seq === last) continue;
        last = seq;
        const row = Object.fromEntries(
          columns.map((name, index) => [name, foundValue(values[index])]),
        ) as FoundRow;
        const ancestors = values.at(-1) as DuckDBValue;
        yield findingOf(this.#rules[number] as RowRule, row, {
          capture: this.#input,
          count: Number(count),
          lastTs: String(lastTs),
          ancestors,
        });
      }
    }
    await connection.run(`DROP TABLE ${lines}`);
  }

  #reasonFor({ reason, needs = [] }: RowRule): string | undefined {
    if (reason !== undefined) return reason;
    if (needs.includes('ancestors') && !this.#hasLineages)
      return 'the command lines of all processes and their ancestors are too long to evaluate';
    if (needs.includes('exact calls') && !this.#hasCalls)
      return 'the rule needs separate arguments or logins, which only a capture file has';
    if (!needs.includes('containers') || this.#undescribed === undefined) return undefined;
    const { containers, seen } = this.#undescribed;
    if (containers === 0n) return undefined;
    const some = containers === seen ? 'the containers' : `${containers} of ${seen} containers`;
    return `the input does not describe ${some}, and the rule uses their names or images`;
  }
}

let nextRun = 0;
const lines = 'sfkit_check_lines';

/** Number of containers without a name and image, and number of all containers. */
async function undescribedContainers(
  connection: DuckDBConnection,
  types: readonly RecordType[],
): Promise<{ containers: bigint; seen: bigint }> {
  const known = types
    .filter((type) => type !== 'KE')
    .map(
      (type) =>
        `SELECT DISTINCT container_id, container_name, container_image FROM ${tableOf[type]}`,
    );
  if (known.length === 0) return { containers: 0n, seen: 0n };
  const result =
    await connection.runAndReadAll(`SELECT count(*) FILTER (NOT described), count(*) FROM (
    SELECT bool_or(container_name IS NOT NULL OR container_image IS NOT NULL) AS described
    FROM (${known.join(' UNION ALL ')}) WHERE container_id IS NOT NULL GROUP BY container_id)`);
  const [containers, seen] = result.getRows()[0] as [bigint, bigint];
  return { containers, seen };
}
