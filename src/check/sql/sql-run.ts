import type { DuckDBConnection, DuckDBPreparedStatement, DuckDBValue } from '@duckdb/node-api';
import { onSqlError } from '../../duckdb/sql-error.js';
import { type TableName, tables as tableSpecs } from '../../engine/columns.gen.js';
import { SfkitError } from '../../engine/errors.js';
import type { Summary } from '../../engine/session.js';
import type { Finding, Rule, RuleOutcome } from '../finding.js';
import type { RuleRun, RunOptions } from '../language.js';
import { describe, findingOf, foundValue } from './found.js';
import type { FoundRow } from './row-rule.js';
import { type CheckTables, rowTables } from './tables.js';

/** Maximum findings per input. Further ones are only counted. */
const maxFindings = 100_000;

/** Maximum seconds for the SQL of a rule. */
const maxSeconds = 300;

export interface SqlRunLimits {
  seconds?: number;
}

/** Evaluates rules whose result rows are findings, on one input. */
export class SqlRun implements RuleRun {
  readonly #input: string;
  readonly #foldRepeats: boolean;
  readonly #tables: CheckTables;
  readonly #rules: readonly { rule: Rule; sql: string }[];
  readonly #seconds: number;
  readonly #outcomes = new Map<Rule, RuleOutcome>();
  #summary: Summary | undefined;

  constructor(
    input: string,
    { rules, foldRepeats, tables }: RunOptions,
    sqlOf: (rule: Rule) => string,
    { seconds = maxSeconds }: SqlRunLimits = {},
  ) {
    this.#input = input;
    this.#foldRepeats = foldRepeats;
    this.#tables = tables;
    this.#seconds = seconds;
    this.#rules = rules.map((rule) => ({ rule, sql: sqlOf(rule) }));
    tables.want(['header', ...this.#rules.flatMap(({ sql }) => tablesIn(sql))]);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Finding> {
    const connection = await this.#tables.open();
    this.#summary = await this.#tables.summary();
    const found: Finding[] = [];
    for (const { rule, sql } of this.#rules) {
      this.#tables.options.signal?.throwIfAborted();
      const collected = new RuleFindings(this.#foldRepeats, maxFindings - found.length);
      const outcome: RuleOutcome = { rule, state: 'unmatched', matches: 0, leftOut: 0 };
      this.#outcomes.set(rule, outcome);
      try {
        for await (const row of this.#rows(connection, sql))
          collected.add(this.#finding(rule, row, collected.rows + 1));
      } catch (error) {
        if (!(error instanceof SfkitError)) throw error;
        outcome.reason = error.message;
      }
      outcome.matches = collected.rows;
      outcome.leftOut = collected.leftOut;
      outcome.state =
        collected.rows > 0 ? 'matched' : outcome.reason === undefined ? 'unmatched' : 'unevaluated';
      for (const finding of collected.findings()) found.push(finding);
    }
    yield* found.sort(byTime);
  }

  outcomes(): RuleOutcome[] {
    return [...this.#outcomes.values()];
  }

  summary(): Summary {
    if (this.#summary === undefined) throw new Error('the input was not read to its end');
    return this.#summary;
  }

  async *#rows(connection: DuckDBConnection, sql: string): AsyncGenerator<FoundRow> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      connection.interrupt();
    }, this.#seconds * 1000);
    try {
      const statement = await prepareSelect(connection, sql);
      const result = await onSqlError(() => statement.stream());
      const columns = result.columnNames().map((name) => name.toLowerCase());
      const chunks = result.yieldRows();
      for (;;) {
        const { value: rows, done } = await onSqlError(() => chunks.next());
        if (done === true) return;
        for (const values of rows) {
          if (isLate) throw new SfkitError('SQL_ERROR', '');
          yield Object.fromEntries(columns.map((name, index) => [name, shownValue(values[index])]));
        }
      }
    } catch (error) {
      throw isLate ? new SfkitError('SQL_ERROR', `it took more than ${this.#seconds} s`) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  #finding(rule: Rule, row: FoundRow, number: number): Finding {
    const own = {
      ...row,
      idx: wholeNumber(row.idx) ?? number,
      ts_uts: wholeNumber(row.ts_uts) ?? wholeNumber(row.ts) ?? '0',
    };
    const finding = findingOf({ rule, condition: undefined, output: outputOf }, own, {
      capture: this.#input,
      count: 1,
      lastTs: String(own.ts_uts),
      ancestors: null,
    });
    return { ...finding, eventType: finding.eventType || 'row', fields: row };
  }
}

/** Collects the findings of one rule, up to a limit. */
class RuleFindings {
  readonly #byOutput = new Map<string, Finding>();
  readonly #foldRepeats: boolean;
  readonly #room: number;
  rows = 0;
  leftOut = 0;

  constructor(foldRepeats: boolean, room: number) {
    this.#foldRepeats = foldRepeats;
    this.#room = room;
  }

  add(finding: Finding): void {
    this.rows += 1;
    const key = this.#foldRepeats ? finding.output : String(this.rows);
    const same = this.#byOutput.get(key);
    if (same !== undefined) {
      const [first, last] = [same, finding].sort(byTime) as [Finding, Finding];
      const lastTs = [same.lastTs ?? same.ts, last.ts].sort((a, b) =>
        compare(BigInt(a), BigInt(b)),
      )[1] as string;
      this.#byOutput.set(key, { ...first, count: same.count + 1, lastTs });
    } else if (this.#byOutput.size < this.#room) {
      this.#byOutput.set(key, finding);
    } else {
      this.leftOut += 1;
    }
  }

  findings(): Iterable<Finding> {
    return this.#byOutput.values();
  }
}

function byTime(one: Finding, other: Finding): number {
  return compare(BigInt(one.ts), BigInt(other.ts)) || one.eventNumber - other.eventNumber;
}

function compare(one: bigint, other: bigint): number {
  return one < other ? -1 : Number(one > other);
}

function wholeNumber(value: FoundRow[string] | undefined): string | undefined {
  return /^-?\d{1,19}$/.test(String(value)) ? String(value) : undefined;
}

/** Columns that differ between repeats of the same finding. */
const volatileColumns = new Set([
  'idx',
  'ts',
  'ts_uts',
  'endts',
  'endts_uts',
  'proc_pid',
  'proc_tid',
  'proc_createts',
]);

/** The column `output`; else a description of the record; else all columns. */
function outputOf(row: FoundRow): string {
  if (typeof row.output === 'string') return row.output;
  const isRecord =
    row.opflags !== undefined || row.proc_cmdline !== undefined || row.file_path !== undefined;
  const text = isRecord ? describe(row) : '';
  if (text !== '') return text;
  const shown = Object.entries(row).filter(
    ([name, value]) => !volatileColumns.has(name) && value !== null,
  );
  return shown
    .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join('|') : value}`)
    .join(' ');
}

/** Converts a value; times become nanoseconds. */
function shownValue(value: DuckDBValue | undefined): FoundRow[string] {
  if (typeof value === 'object' && value !== null) {
    if ('nanos' in value && typeof value.nanos === 'bigint') return value.nanos.toString();
    if ('micros' in value && typeof value.micros === 'bigint' && !('months' in value))
      return (value.micros * 1000n).toString();
  }
  return foundValue(value);
}

/**
 * Prepares the statement of a rule. Only a SELECT is allowed, because other statements may write.
 */
export async function prepareSelect(
  connection: DuckDBConnection,
  sql: string,
): Promise<DuckDBPreparedStatement> {
  const { StatementType } = await import('@duckdb/node-api');
  return onSqlError(async () => {
    const statements = await connection.extractStatements(sql);
    if (statements.count !== 1)
      throw new SfkitError(
        'SQL_ERROR',
        `expected one SELECT, found ${statements.count} statements`,
      );
    const statement = await statements.prepare(0);
    if (statement.statementType !== StatementType.SELECT)
      throw new SfkitError('SQL_ERROR', 'a rule must be a SELECT');
    return statement;
  });
}

/** The tables that the SQL may use: a superset, because words in string literals count too. */
function tablesIn(sql: string): TableName[] {
  const words = new Set(sql.toLowerCase().match(/[a-z_0-9]+/g) ?? []);
  const named = tableSpecs
    .filter(({ kind, name }) => kind !== 'all' && words.has(name))
    .map(({ name }) => name);
  return words.has('sysflow') ? [...new Set([...named, ...rowTables])] : named;
}
