import { quoteIdentifier } from '../../duckdb/sql-text.js';
import { opNames } from '../../engine/columns.gen.js';
import { SfkitError } from '../../engine/errors.js';
import { textLiteral } from '../sql/literals.js';
import type { RecordType, RowNeed } from '../sql/row-rule.js';
import { excerpt } from './errors.js';
import type { Expression } from './expression.js';
import {
  columnTypes,
  type FieldForms,
  type FormPart,
  type LogSourceMapping,
  logSourceFor,
  parseForm,
  type RecordMapping,
  type RowFilter,
  type SigmaMapping,
} from './mapping.js';
import type { LogSource, SigmaRule } from './rule.js';
import {
  andSql,
  type Form,
  type FormType,
  orSql,
  type Resolve,
  type Share,
  type Sql,
  sqlOf,
} from './sql.js';
import type { SigmaValues } from './values.js';

// Compiles a Sigma rule to a condition on the rows of sfkit.

export interface CompiledRule {
  /** SQL by record type; undefined if no row can match. */
  condition: Readonly<Partial<Record<RecordType, string>>> | undefined;
  /** Why the rule cannot see everything it looks for. */
  reason: string | undefined;
  /** Fields that rows lack and that the rule uses only to exclude events. */
  ignored: readonly string[];
  needs: readonly RowNeed[];
  /** Names of shared values that the condition uses. */
  values: readonly string[];
  /** The fields of the rule that rows have, in display order. */
  shown: readonly string[];
  source: LogSourceMapping | undefined;
  /** Records of the log that can match. */
  records: readonly RecordMapping[];
}

/**
 * Compiles a rule. The same rule and mapping give the same SQL, except for the names of shared
 * values.
 */
export function compileRule(
  rule: SigmaRule,
  mapping: SigmaMapping,
  sharing?: SigmaValues,
): CompiledRule {
  const nothing = {
    condition: undefined,
    ignored: [],
    needs: [],
    values: [],
    shown: [],
    source: undefined,
    records: [],
  };
  if (rule.detection === undefined) return { ...nothing, reason: rule.unsupported };
  const source = logSourceFor(mapping, rule.logsource);
  const foreign = foreignReason(rule.logsource, source);
  if (source === undefined || foreign !== undefined) return { ...nothing, reason: foreign };
  const records = source.records.map((record) => new LogRecord(source, record, sharing));
  const missing = new MissingFields(source, records, rule.detection);
  const matching: LogRecord[] = [];
  const byType = new Map<RecordType, Map<string, Sql[]>>();
  const named = fieldsOf(rule.detection);
  for (const record of records) {
    const { namedBy } = record.mapping;
    if (namedBy?.some((field) => named.has(field)) === false) continue;
    const sql = sqlOf(rule.detection, record.resolve);
    if (sql === false) continue;
    matching.push(record);
    for (const type of record.mapping.types) {
      const ofType = byType.get(type) ?? new Map<string, Sql[]>();
      byType.set(type, ofType);
      // Records with the same condition are evaluated once.
      const text = sql === true ? 'true' : sql;
      ofType.set(text, [...(ofType.get(text) ?? []), record.filter]);
    }
  }
  const conditions = Object.fromEntries(
    [...byType].map(([type, ofType]) => [type, conditionOf(ofType)]),
  );
  const tooLarge = Object.values(conditions).some((condition) => isTooLarge(condition));
  if (tooLarge)
    return {
      ...nothing,
      reason: `its SQL has more than ${maxTests} tests or ${maxSql} characters`,
    };
  const texts = Object.values(conditions).join('\n');
  const values = sharing?.namesIn(texts) ?? [];
  return {
    condition: matching.length === 0 ? undefined : conditions,
    reason: missing.reason ?? (matching.length === 0 ? 'no event can satisfy it' : undefined),
    ignored: missing.ignored,
    needs: needsOf([texts, ...(sharing?.sqlOf(values) ?? [])].join('\n')),
    values,
    shown: missing.shown,
    source,
    records: matching.map(({ mapping }) => mapping),
  };
}

/** The fields that an expression uses. */
function fieldsOf(expression: Expression, found = new Set<string>()): Set<string> {
  if (expression.kind === 'not') return fieldsOf(expression.item, found);
  if (expression.kind === 'check')
    return expression.field === undefined ? found : found.add(expression.field);
  for (const item of expression.items) fieldsOf(item, found);
  return found;
}

/**
 * Limits for SQL. DuckDB needs seconds for this many tests; without a limit, a file could take
 * hours.
 */
const maxTests = 5000;
const maxSql = 4_000_000;

function isTooLarge(condition: string): boolean {
  return (
    condition.length > maxSql || condition.split(/ (?:AND|OR) /, maxTests + 2).length > maxTests
  );
}

/** `filters`: for each test, the filters of its records. */
function conditionOf(filters: ReadonlyMap<string, readonly Sql[]>): string {
  const condition = orSql([...filters].map(([sql, ones]) => andSql([orSql(ones), sql])));
  return String(condition);
}

/** Joined arguments are enough for a text search; access to a single argument needs exact calls. */
function needsOf(condition: string): RowNeed[] {
  if (condition.includes('"proc_argv"[') || condition.includes('"proc_loginuid"'))
    return ['exact calls'];
  return condition.includes('"proc_argv"') ? ['calls'] : [];
}

/** Why captures cannot contain the log source of a rule; undefined if they can. */
function foreignReason(
  { category, product, service }: LogSource,
  source: LogSourceMapping | undefined,
): string | undefined {
  if (product !== undefined && product !== 'linux') return `its product is ${product}`;
  if (source !== undefined) return undefined;
  if (service !== undefined) return `sfkit does not read the log of ${service}`;
  if (category !== undefined) return `sfkit has no events of the category ${category}`;
  return 'it searches the text of any log, and sfkit reads no logs';
}

/** Rows that represent one kind of log record. */
class LogRecord {
  readonly mapping: RecordMapping;
  /** SQL that selects these rows. */
  readonly filter: Sql;
  readonly #forms: ReadonlyMap<string, readonly Form[]>;
  readonly #keywords: readonly Form[];

  constructor(source: LogSourceMapping, mapping: RecordMapping, sharing: SigmaValues | undefined) {
    const { where, except, fields, keywords = [] } = mapping;
    this.mapping = mapping;
    const excepted = except === undefined ? false : filterSql(except);
    const filter = andSql([
      where === undefined ? true : filterSql(where),
      excepted === false ? true : `(${excepted}) IS NOT TRUE`,
    ]);
    this.filter =
      typeof filter === 'string' && sharing !== undefined ? sharing.share(filter, true) : filter;
    const share = sharing && ((sql: string) => sharing.share(sql));
    this.#forms = formsOf({ ...source.fields, ...fields }, share);
    this.#keywords = keywords.map((form) => formOf(form, share));
  }

  readonly resolve: Resolve = (field) =>
    field === undefined ? this.#keywords : (this.#forms.get(field) ?? []);
}

function formsOf(fields: FieldForms, share: Share | undefined): Map<string, readonly Form[]> {
  return new Map(
    Object.entries(fields).map(([field, forms]) => [
      field,
      (typeof forms === 'string' ? [forms] : forms).map((form) => formOf(form, share)),
    ]),
  );
}

const formTypes: Readonly<{ [type: string]: FormType }> = {
  i32: 'integer',
  i64: 'integer',
  bool: 'boolean',
  ts: 'time',
};

function formOf(text: string, share: Share | undefined): Form {
  const parts = parseForm(text);
  const [only] = parts;
  if (parts.length === 0) return { constant: '' };
  if (parts.length === 1 && only !== undefined) {
    if (typeof only === 'string') return { constant: only };
    if (only.change === undefined) {
      const type = formTypes[columnTypes.get(only.column) ?? ''] ?? 'text';
      const sql = quoteIdentifier(only.column);
      // A list is searched as its items joined by spaces.
      return isList(only.column)
        ? { sql: `array_to_string(${sql}, ' ')`, type, share }
        : { sql, type, share };
    }
  }
  return { sql: joinedSql(parts), type: 'text', share };
}

function isList(column: string): boolean {
  return ['ops', 'flags', 'list'].includes(columnTypes.get(column) ?? '');
}

/** Joins the pieces. The space before an empty column is dropped. */
function joinedSql(parts: readonly FormPart[]): string {
  const pieces: string[] = [];
  for (const [index, part] of parts.entries()) {
    if (typeof part === 'string') {
      if (part !== ' ' || typeof parts[index + 1] !== 'object') pieces.push(textLiteral(part));
      continue;
    }
    const value = partSql(part);
    const follows = parts[index - 1] === ' ';
    pieces.push(follows ? `CASE WHEN ${value} <> '' THEN ' ' || ${value} ELSE '' END` : value);
  }
  return pieces.length === 1 ? (pieces[0] as string) : `(${pieces.join(' || ')})`;
}

function partSql({ column, change }: Exclude<FormPart, string>): string {
  const name = quoteIdentifier(column);
  if (change === undefined)
    return isList(column) ? `array_to_string(${name}, ' ')` : `CAST(${name} AS VARCHAR)`;
  if (typeof change === 'number') return `${name}[${change + 1}]`;
  if (change === 'noslash') return `rtrim(${name}, '/')`;
  return `CASE ${name} WHEN 1 THEN 'icmp' WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' END`;
}

function filterSql(filter: RowFilter): Sql {
  return andSql(
    Object.entries(filter).map(([column, wanted]) => {
      const values = Array.isArray(wanted) ? wanted : [wanted];
      if (column === 'opflags') return `(opflags_bitmap & ${operationBits(values)}) <> 0`;
      const name = quoteIdentifier(column);
      return orSql(
        values.map(
          (value) => `${name} = ${typeof value === 'string' ? textLiteral(value) : value}`,
        ),
      );
    }),
  );
}

function operationBits(names: readonly unknown[]): number {
  return names.reduce<number>((bits, name) => {
    const bit = opNames.indexOf(String(name));
    if (bit < 0)
      throw new SfkitError(
        'INVALID_ARGUMENT',
        `'${name}' is not an operation; expected one of ${opNames.join(', ')}`,
      );
    return bits | (1 << bit);
  }, 0);
}

/** Fields and values that a rule uses and no record of its log has. */
class MissingFields {
  readonly #source: LogSourceMapping;
  readonly #records: readonly LogRecord[];
  /** Reasons from tests that must be true, and from tests that must be false. */
  readonly #needed = new Set<string>();
  readonly #excluding = new Set<string>();
  readonly #known = new Set<string>();

  constructor(source: LogSourceMapping, records: readonly LogRecord[], detection: Expression) {
    this.#source = source;
    this.#records = records;
    this.#walk(detection, true);
  }

  get reason(): string | undefined {
    if (this.#needed.size === 0) return undefined;
    const [first = '', ...others] = this.#needed;
    const more = others.slice(0, maxNamed - 1);
    const rest = others.length - more.length;
    return [first, ...more, ...(rest > 0 ? [`${rest} more`] : [])].join('; ');
  }

  get ignored(): readonly string[] {
    return [...this.#excluding];
  }

  get shown(): readonly string[] {
    const first = this.#source.shows ?? [];
    return [...new Set([...first, ...this.#known])];
  }

  #walk(expression: Expression, holds: boolean): void {
    if (expression.kind === 'not') {
      this.#walk(expression.item, !holds);
      return;
    }
    if (expression.kind !== 'check') {
      for (const item of expression.items) this.#walk(item, holds);
      return;
    }
    const { field, test } = expression;
    const forms = this.#records
      .map(({ resolve }) => resolve(field))
      .filter(({ length }) => length > 0);
    const names = test.kind === 'reference' ? [field, test.field] : [field];
    for (const name of names) {
      if (this.#records.every(({ resolve }) => resolve(name).length === 0))
        this.#note(this.#reasonFor(name), holds);
      else if (name !== undefined) this.#known.add(name);
    }
    const isPresence = test.kind === 'null' || test.kind === 'exists';
    if (field === undefined || isPresence || forms.length === 0) return;
    const values = forms.flat();
    const never =
      values.every((form) => 'constant' in form) && sqlOf(expression, () => values) === false;
    if (never) this.#note(this.#reasonForValue(field, expression), holds);
  }

  #note(reason: string, holds: boolean): void {
    (holds ? this.#needed : this.#excluding).add(reason);
  }

  #reasonFor(field: string | undefined): string {
    if (field === undefined) return 'it searches whole log records, and rows have only fields';
    const why = this.#source.missing?.[field];
    return why === undefined
      ? `sfkit has no field '${excerpt(field)}' for this log`
      : `it uses ${field}: ${why}`;
  }

  #reasonForValue(field: string, { test }: Expression & { kind: 'check' }): string {
    const why = this.#source.missing?.[field] ?? 'no row has that value';
    return `it uses ${field} ${excerpt(describe(test))}: ${why}`;
  }
}

/** Maximum reasons that a message lists. */
const maxNamed = 3;

function describe(test: (Expression & { kind: 'check' })['test']): string {
  if (test.kind === 'text')
    return test.pattern
      .map((part) => (typeof part === 'string' ? part : part.description))
      .join('');
  if (test.kind === 'number') return test.text;
  return 'of that kind';
}
