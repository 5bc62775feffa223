import { quoteIdentifier } from '../../duckdb/sql-text.js';
import { opNames } from '../../engine/columns.gen.js';
import { SfkitError } from '../../engine/errors.js';
import { textLiteral } from '../sql/literals.js';
import type { RecordType, RowNeed } from '../sql/row-rule.js';
import { shown } from './errors.js';
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
import { andSql, type Form, type FormType, orSql, type Resolve, type Share, type Sql, sqlOf } from './sql.js';
import type { SigmaValues } from './values.js';

// A rule as a condition about the rows of sfkit.

export interface CompiledRule {
  /** SQL about rows by their type; undefined where no row can match. */
  condition: Readonly<Partial<Record<RecordType, string>>> | undefined;
  /** Why not all that the rule is about can be found. */
  reason: string | undefined;
  /** Fields that only exclude events, and that rows do not have. */
  ignored: readonly string[];
  needs: readonly RowNeed[];
  /** Names of shared values that the condition uses. */
  values: readonly string[];
  /** The fields of the rule that rows have, those to show first. */
  shown: readonly string[];
  source: LogSourceMapping | undefined;
  /** The records of the log that can match. */
  records: readonly RecordMapping[];
}

/** Compiles a rule; pure: the same rule and mapping give the same SQL, but for the names of what it shares with others. */
export function compileRule(rule: SigmaRule, mapping: SigmaMapping, sharing?: SigmaValues): CompiledRule {
  const nothing = {
    condition: undefined,
    ignored: [],
    needs: [],
    values: [],
    shown: [],
    source: undefined,
    records: [],
  };
  if (rule.detection === undefined) return { ...nothing, reason: rule.refused };
  const source = logSourceFor(mapping, rule.logsource);
  const foreign = foreignReason(rule.logsource, source);
  if (source === undefined || foreign !== undefined) return { ...nothing, reason: foreign };
  const records = source.records.map((record) => new LogRecord(source, record, sharing));
  const lacks = new Lacks(source, records, rule.detection);
  const asked: LogRecord[] = [];
  const byType = new Map<RecordType, Map<string, Sql[]>>();
  const named = fieldsOf(rule.detection);
  for (const record of records) {
    const { namedBy } = record.mapping;
    if (namedBy?.some((field) => named.has(field)) === false) continue;
    const sql = sqlOf(rule.detection, record.resolve);
    if (sql === false) continue;
    asked.push(record);
    for (const type of record.mapping.types) {
      const ofType = byType.get(type) ?? new Map<string, Sql[]>();
      byType.set(type, ofType);
      // Records that differ in nothing that the rule asks are asked once.
      const text = sql === true ? 'true' : sql;
      ofType.set(text, [...(ofType.get(text) ?? []), record.filter]);
    }
  }
  const conditions = Object.fromEntries([...byType].map(([type, ofType]) => [type, conditionOf(ofType)]));
  const tooLarge = Object.values(conditions).some((condition) => isTooLarge(condition));
  if (tooLarge)
    return { ...nothing, reason: `it comes to more than ${maxTests} tests, or ${maxSql} characters, of SQL` };
  const texts = Object.values(conditions).join('\n');
  const values = sharing?.namesIn(texts) ?? [];
  return {
    condition: asked.length === 0 ? undefined : conditions,
    reason: lacks.reason ?? (asked.length === 0 ? 'no event can satisfy it' : undefined),
    ignored: lacks.ignored,
    needs: needsOf([texts, ...(sharing?.sqlOf(values) ?? [])].join('\n')),
    values,
    shown: lacks.shown,
    source,
    records: asked.map(({ mapping }) => mapping),
  };
}

/** The fields that an expression asks for. */
function fieldsOf(expression: Expression, found = new Set<string>()): Set<string> {
  if (expression.kind === 'not') return fieldsOf(expression.item, found);
  if (expression.kind === 'check') return expression.field === undefined ? found : found.add(expression.field);
  for (const item of expression.items) fieldsOf(item, found);
  return found;
}

/** DuckDB takes seconds for so many tests, and hours for all that a file could ask. */
const maxTests = 5000;
const maxSql = 4_000_000;

function isTooLarge(condition: string): boolean {
  return condition.length > maxSql || condition.split(/ (?:AND|OR) /, maxTests + 2).length > maxTests;
}

/** `filters`: those of the records that a test is about, by the test. */
function conditionOf(filters: ReadonlyMap<string, readonly Sql[]>): string {
  const condition = orSql([...filters].map(([sql, ones]) => andSql([orSql(ones), sql])));
  return String(condition);
}

/** Joined arguments are good enough to be searched; one among them has to be known. */
function needsOf(condition: string): RowNeed[] {
  if (condition.includes('"proc_argv"[') || condition.includes('"proc_loginuid"')) return ['exact calls'];
  return condition.includes('"proc_argv"') ? ['calls'] : [];
}

/** Why a rule is about something that captures are not. */
function foreignReason(
  { category, product, service }: LogSource,
  source: LogSourceMapping | undefined,
): string | undefined {
  if (product !== undefined && product !== 'linux') return `it is about ${product}`;
  if (source !== undefined) return undefined;
  if (service !== undefined) return `it is about the log of ${service}, which sfkit does not read`;
  if (category !== undefined) return `sfkit has no events of the category ${category}`;
  return 'it is about texts of any log, and sfkit reads none';
}

/** Rows that are a kind of record. */
class LogRecord {
  readonly mapping: RecordMapping;
  /** SQL that picks them. */
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
    this.filter = typeof filter === 'string' && sharing !== undefined ? sharing.share(filter, true) : filter;
    const share = sharing && ((sql: string) => sharing.share(sql));
    this.#forms = formsOf({ ...source.fields, ...fields }, share);
    this.#keywords = keywords.map((form) => formOf(form, share));
  }

  readonly resolve: Resolve = (field) => (field === undefined ? this.#keywords : (this.#forms.get(field) ?? []));
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
      // A list is its items.
      return isList(only.column) ? { sql: `array_to_string(${sql}, ' ')`, type, share } : { sql, type, share };
    }
  }
  return { sql: joinedSql(parts), type: 'text', share };
}

function isList(column: string): boolean {
  return ['ops', 'flags', 'list'].includes(columnTypes.get(column) ?? '');
}

/** The pieces one after the other; a blank before a column that is empty goes away with it. */
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
  if (change === undefined) return isList(column) ? `array_to_string(${name}, ' ')` : `CAST(${name} AS VARCHAR)`;
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
      return orSql(values.map((value) => `${name} = ${typeof value === 'string' ? textLiteral(value) : value}`));
    }),
  );
}

function operationBits(names: readonly unknown[]): number {
  return names.reduce<number>((bits, name) => {
    const bit = opNames.indexOf(String(name));
    if (bit < 0)
      throw new SfkitError('INVALID_ARGUMENT', `'${name}' is no operation; it is one of ${opNames.join(', ')}`);
    return bits | (1 << bit);
  }, 0);
}

/** What a rule asks for and no record of its log has. */
class Lacks {
  readonly #source: LogSourceMapping;
  readonly #records: readonly LogRecord[];
  /** Of tests that have to hold, and of those that must not. */
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
    const more = others.slice(0, mostNamed - 1);
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
    const forms = this.#records.map(({ resolve }) => resolve(field)).filter(({ length }) => length > 0);
    const names = test.kind === 'reference' ? [field, test.field] : [field];
    for (const name of names) {
      if (this.#records.every(({ resolve }) => resolve(name).length === 0)) this.#note(this.#lack(name), holds);
      else if (name !== undefined) this.#known.add(name);
    }
    const isPresence = test.kind === 'null' || test.kind === 'exists';
    if (field === undefined || isPresence || forms.length === 0) return;
    const values = forms.flat();
    const never = values.every((form) => 'constant' in form) && sqlOf(expression, () => values) === false;
    if (never) this.#note(this.#lackOfValue(field, expression), holds);
  }

  #note(lack: string, holds: boolean): void {
    (holds ? this.#needed : this.#excluding).add(lack);
  }

  #lack(field: string | undefined): string {
    if (field === undefined) return 'it looks for texts in whole records of a log, and rows have only their fields';
    const why = this.#source.missing?.[field];
    return why === undefined ? `sfkit has no field '${shown(field)}' for this log` : `it asks for ${field}: ${why}`;
  }

  #lackOfValue(field: string, { test }: Expression & { kind: 'check' }): string {
    const why = this.#source.missing?.[field] ?? 'no row has that value';
    return `it asks for ${field} ${shown(describe(test))}: ${why}`;
  }
}

/** Lacks that a reason names one by one. */
const mostNamed = 3;

function describe(test: (Expression & { kind: 'check' })['test']): string {
  if (test.kind === 'text')
    return test.pattern.map((part) => (typeof part === 'string' ? part : part.description)).join('');
  if (test.kind === 'number') return test.text;
  return 'of that kind';
}
