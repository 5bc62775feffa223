import type { DuckDBConnection } from '@duckdb/node-api';
import { onSqlError } from '../../duckdb/sql-error.js';
import { tableColumns } from '../../engine/columns.gen.js';
import type { RecordType, RowNeed, RowRule, SharedRows, SharedValue } from './row-rule.js';
import { extraColumns, rowsSql } from './rows.js';

// Evaluates rules on distinct tuples instead of rows. A tuple has the columns that the rules use.
// Programs repeat themselves, so there are far fewer tuples than rows. The rows of matching tuples
// are looked up afterwards. In the worst case, when all rows differ, this costs one copy of the
// columns.

/** A rule with the condition for one record type, and its number in the run. */
export interface TypedRule extends RowRule {
  condition: string;
  number: number;
}

const rulesPerStatement = 64;

const noLimit = '9223372036854775807';
const tuples = 'sfkit_check_tuples';
const valued = 'sfkit_check_valued';
const hits = 'sfkit_check_hits';

/**
 * Columns that differ between otherwise equal rows. Rules that use one are evaluated separately, to
 * keep the tuples of the other rules few.
 */
const perRowColumns: ReadonlySet<string> = new Set([
  ...['idx', 'ts', 'ts_uts', 'endts', 'endts_uts', 'ret', 'file_fd', 'net_sport'],
  ...['proc_pid', 'proc_tid', 'proc_createts', 'proc_apid', 'pproc_pid', 'pproc_createts'],
  ...[
    'flow_rbytes',
    'flow_rops',
    'flow_wbytes',
    'flow_wops',
    'pf_nthreads',
    'pf_nexits',
    'pf_nerrors',
  ],
]);

const rowColumns: ReadonlySet<string> = new Set([
  ...tableColumns.sysflow.map(({ name }) => name),
  ...extraColumns,
]);

/** The columns that the SQL may use: a superset, because a word may mean something else. */
function columnsIn(sql: string): string[] {
  const words = withoutTexts(sql).match(/[a-z_0-9]+/g) ?? [];
  return [...new Set(words)].filter((word) => rowColumns.has(word));
}

/** SQL without its string literals. */
export function withoutTexts(sql: string): string {
  return sql.replace(/'[^']*'/g, ' ');
}

/** Evaluates rules on the rows of one record type. */
export class TupleEvaluator {
  readonly #connection: DuckDBConnection;
  readonly #type: RecordType;
  readonly #shared: SharedRows;
  readonly #columns = new Map<string, readonly string[]>();

  constructor(connection: DuckDBConnection, type: RecordType, shared: SharedRows) {
    this.#connection = connection;
    this.#type = type;
    this.#shared = shared;
  }

  /**
   * Evaluates the rules. Passes the matches to `onMatches` as a SELECT of all columns of the rows
   * and `rule`, the number of the rule. Returns the reasons for rules that could not be evaluated,
   * by rule number.
   */
  async evaluate(
    typedRules: readonly TypedRule[],
    onMatches: (matchedSql: string) => Promise<unknown>,
  ): Promise<Map<number, string>> {
    // A rule for several record types lists the values of all of them: keep those of this type.
    const rules = typedRules.map((rule) => ({
      ...rule,
      values: rule.values?.filter((name) => rule.condition.includes(name)),
    }));
    const failures = new Map<number, string>();
    const isPerRow = (rule: TypedRule) =>
      this.#keysOf([rule]).some((key) => perRowColumns.has(key));
    const perRow = rules.filter(isPerRow);
    const others = rules.filter((rule) => !perRow.includes(rule));
    for (const group of [others, perRow])
      if (group.length > 0) await this.#evaluateGroup(group, onMatches, failures);
    return failures;
  }

  async #evaluateGroup(
    rules: readonly TypedRule[],
    onMatches: (matchedSql: string) => Promise<unknown>,
    failures: Map<number, string>,
  ): Promise<void> {
    const keys = this.#keysOf(rules);
    const rows = this.#rowsSql(rules);
    try {
      await onSqlError(() => this.#connection.run(this.#tuplesSql(rows, keys)));
      const first = await this.#connection.runAndReadAll(`SELECT tuple FROM ${tuples} LIMIT 1`);
      if (first.currentRowCount === 0) return;
      await this.#connection.run(
        `CREATE OR REPLACE TEMP TABLE ${hits} (rule INTEGER, tuple BIGINT)`,
      );
      for (let from = 0; from < rules.length; from += rulesPerStatement)
        await this.#evaluateTuples(rules.slice(from, from + rulesPerStatement), failures);
      await onSqlError(() => onMatches(matchedSql(rows, keys)));
    } catch (error) {
      for (const { number } of rules) failures.set(number, (error as Error).message);
    } finally {
      for (const table of [tuples, valued, hits])
        await this.#connection.run(`DROP TABLE IF EXISTS ${table}`);
    }
  }

  /** SQL that creates the tuples of rows that are not dropped. */
  #tuplesSql(rows: string, keys: readonly string[]): string {
    // Rules that use no column are evaluated on a single tuple if there is a row.
    const named = keys.join(', ') || '1 AS row';
    const distinct = `SELECT DISTINCT ${named} FROM (${rows})`;
    const { drop } = this.#shared;
    const dropped = drop?.condition[this.#type];
    const kept =
      dropped === undefined
        ? distinct
        : `SELECT ${keys.join(', ') || 'row'} FROM (${withValues(distinct, drop?.values ?? [], this.#value)})
          WHERE NOT (${dropped})`;
    return `CREATE OR REPLACE TEMP TABLE ${tuples} AS SELECT *, row_number() OVER () AS tuple FROM (${kept})`;
  }

  /** Evaluates many rules in one statement. On an error, bisects to find the rule that fails. */
  async #evaluateTuples(rules: readonly TypedRule[], failures: Map<number, string>): Promise<void> {
    try {
      await onSqlError(() => this.#findHits(rules));
    } catch (error) {
      const [only, ...others] = rules;
      if (others.length === 0) {
        failures.set((only as TypedRule).number, (error as Error).message);
        return;
      }
      const half = rules.length >> 1;
      await this.#evaluateTuples(rules.slice(0, half), failures);
      await this.#evaluateTuples(rules.slice(half), failures);
    }
  }

  /** Each rule is a separate SELECT, because DuckDB evaluates a condition fastest as a filter. */
  async #findHits(rules: readonly TypedRule[]): Promise<void> {
    const names = rules.flatMap(({ values = [] }) => values);
    if (names.length > 0) {
      const columns = new Set([
        'tuple',
        ...names,
        ...rules.flatMap(({ condition }) => columnsIn(condition)),
      ]);
      const values = `SELECT ${[...columns].join(', ')} FROM (${withValues(`SELECT * FROM ${tuples}`, names, this.#value)})`;
      await this.#connection.run(`CREATE OR REPLACE TEMP TABLE ${valued} AS ${values}`);
    }
    const table = names.length > 0 ? valued : tuples;
    const matching = rules.map(
      ({ number, condition }) => `SELECT ${number}, tuple FROM ${table} WHERE ${condition}`,
    );
    await this.#connection.run(`INSERT INTO ${hits} ${matching.join(' UNION ALL ')}`);
  }

  /**
   * SELECT of the rows with the extra columns that the rules need and the shared values that are
   * keys.
   */
  #rowsSql(rules: readonly TypedRule[]): string {
    const has = (...wanted: RowNeed[]) =>
      rules.some(({ needs = [] }) => wanted.some((need) => needs.includes(need)));
    const rows = rowsSql(this.#type, {
      ancestors: has('ancestors'),
      calls: has('calls', 'exact calls'),
    });
    const keyed = this.#keysOf(rules).flatMap((key) => {
      const value = this.#value(key);
      return value === undefined ? [] : [`${value.sql} AS ${key}`];
    });
    return keyed.length === 0 ? rows : `SELECT *, ${keyed.join(', ')} FROM (${rows})`;
  }

  /** The keys of a tuple: columns, and shared values with `ofRow`, that the rules use. */
  #keysOf(rules: readonly TypedRule[]): string[] {
    const keys = new Set<string>();
    const addAll = (sql: string, values: readonly string[]) => {
      for (const column of columnsIn(sql)) keys.add(column);
      for (const name of values) for (const key of this.#keysOfValue(name)) keys.add(key);
    };
    for (const { condition, values = [] } of rules) addAll(condition, values);
    const { drop } = this.#shared;
    addAll(drop?.condition[this.#type] ?? '', drop?.values ?? []);
    return [...keys].sort();
  }

  #keysOfValue(name: string): readonly string[] {
    const known = this.#columns.get(name);
    if (known !== undefined) return known;
    const { sql, from = [], ofRow } = this.#value(name) as SharedValue;
    const keys = ofRow
      ? [name]
      : [...columnsIn(sql), ...from.flatMap((other) => this.#keysOfValue(other))];
    this.#columns.set(name, keys);
    return keys;
  }

  readonly #value = (name: string): SharedValue | undefined => this.#shared.values?.[name];
}

/**
 * Adds shared values in layers: each layer uses the values of earlier ones. The rows have those with
 * `ofRow` already.
 */
export function withValues(
  rows: string,
  names: readonly string[],
  sharedValue: (name: string) => SharedValue | undefined,
): string {
  const layers: string[][] = [];
  const depths = new Map<string, number>();
  const depthOf = (name: string): number => {
    const depth = depths.get(name);
    if (depth !== undefined) return depth;
    const { sql, from = [], ofRow } = sharedValue(name) as SharedValue;
    if (ofRow) return -1;
    const own = Math.max(0, ...from.map((other) => depthOf(other) + 1));
    depths.set(name, own);
    const layer = layers[own] ?? [];
    layers[own] = layer;
    layer.push(`${sql} AS ${name}`);
    return own;
  };
  names.forEach(depthOf);
  return layers.reduce(withColumns, rows);
}

/** The LIMIT keeps DuckDB from inlining a computed column into every condition that uses it. */
function withColumns(rows: string, columns: readonly string[]): string {
  return `SELECT *, ${columns.join(', ')} FROM (${rows}) LIMIT ${noLimit}`;
}

function matchedSql(rows: string, keys: readonly string[]): string {
  const same =
    keys.map((key) => `matched.${key} IS NOT DISTINCT FROM every.${key}`).join(' AND ') || 'true';
  return `SELECT every.*, hit.rule FROM (${rows}) every
    JOIN (SELECT * FROM ${tuples} WHERE tuple IN (SELECT tuple FROM ${hits})) matched ON ${same}
    JOIN ${hits} hit USING (tuple)`;
}
