import { tableColumns } from '../../engine/columns.gen.js';
import { SfkitError } from '../../engine/errors.js';
import { nearest } from '../../engine/nearest.js';
import type { RecordType } from '../sql/row-rule.js';
import { excerpt } from './errors.js';
import { builtIn } from './mapping-built-in.js';
import type { LogSource } from './rule.js';

// Maps the logs of Sigma rules to rows of sfkit: which rows are records of a log, and which columns
// are its fields.

/**
 * Forms of each field. If a field has several forms, a test is true if it is true for one of them.
 */
export type FieldForms = Readonly<Record<string, string | readonly string[]>>;

/** Accepted values for each column; for opflags, names of operations: one of them must be set. */
export type RowFilter = Readonly<Record<string, WantedValue | readonly WantedValue[]>>;
export type WantedValue = string | number | boolean;

/** Rows that represent records of a log. */
export interface RecordMapping {
  types: readonly RecordType[];
  where?: RowFilter;
  /** Excludes these rows. */
  except?: RowFilter;
  fields?: FieldForms;
  /** Only rules that use one of these fields see these records. */
  namedBy?: readonly string[];
  /** Forms to search for keywords, which are values without a field. */
  keywords?: readonly string[];
}

export interface LogSourceMapping {
  category?: string;
  service?: string;
  /** Fields that a finding shows first. */
  shows?: readonly string[];
  /** Fields of all its records. */
  fields?: FieldForms;
  records: readonly RecordMapping[];
  /** Fields and field values that rows lack, and why. */
  missing?: Readonly<Record<string, string>>;
}

export type SigmaMapping = readonly LogSourceMapping[];

export const builtInMapping: SigmaMapping = builtIn;

/** The mapping for the log source of a rule. */
export function logSourceFor(
  mapping: SigmaMapping,
  { category, service }: LogSource,
): LogSourceMapping | undefined {
  return mapping.find((known) => known.category === category && known.service === service);
}

/** A piece of a form: literal text, or a column. */
export type FormPart = string | { column: string; change: Change | undefined };

const changes = ['noslash', 'protocol'] as const;
/**
 * noslash: removes a trailing slash; protocol: names a protocol number; a number: selects an item
 * of a list.
 */
export type Change = (typeof changes)[number] | number;

/** Parses a form: text with columns in braces, like '{proc_name} {proc_args}'. */
export function parseForm(form: string): FormPart[] {
  const parts: FormPart[] = [];
  let from = 0;
  for (const match of form.matchAll(/\{([^{}]*)\}/g)) {
    if (match.index > from) parts.push(form.slice(from, match.index));
    parts.push(columnOf(match[1] as string));
    from = match.index + match[0].length;
  }
  if (from < form.length) parts.push(form.slice(from));
  return parts;
}

function columnOf(text: string): FormPart {
  const [column = '', change, ...more] = text.split(':');
  if (!columnTypes.has(column)) rejectColumn(column);
  if (change === undefined) return { column, change: undefined };
  const known =
    changes.find((name) => name === change) ??
    (/^\d{1,3}$/.test(change) ? Number(change) : undefined);
  if (known === undefined || more.length > 0)
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `'{${excerpt(text)}}': expected one of ${changes.join(', ')}, or a number, after ':'`,
    );
  return { column, change: known };
}

/** Columns that mappings may use, and their types. */
export const columnTypes: ReadonlyMap<string, string> = new Map([
  ...tableColumns.sysflow.map(({ name, type }) => [name, type] as const),
  ['proc_argv', 'list'],
  ['proc_loginuid', 'i64'],
]);

function rejectColumn(column: string): never {
  const likely = nearest(excerpt(column), [...columnTypes.keys()]);
  const advice = likely === undefined ? '' : `; did you mean '${likely}'?`;
  throw new SfkitError('INVALID_ARGUMENT', `'${excerpt(column)}' is not a column${advice}`);
}
