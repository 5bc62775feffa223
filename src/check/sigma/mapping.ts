import { tableColumns } from '../../engine/columns.gen.js';
import { SfkitError } from '../../engine/errors.js';
import { nearest } from '../../engine/nearest.js';
import type { RecordType } from '../sql/row-rule.js';
import { excerpt } from './errors.js';
import { builtIn } from './mapping-built-in.js';
import type { LogSource } from './rule.js';

// How the logs that rules are written for map to the rows of sfkit: which rows are their records, and which columns
// their fields.

/** Fields by name. A field has one form or several: a test holds if it holds for one of them. */
export type FieldForms = Readonly<Record<string, string | readonly string[]>>;

/** Values that a column has to have one of; of opflags, names that it has to hold one of. */
export type RowFilter = Readonly<Record<string, WantedValue | readonly WantedValue[]>>;
export type WantedValue = string | number | boolean;

/** Rows that are records of a log. */
export interface RecordMapping {
  types: readonly RecordType[];
  where?: RowFilter;
  /** Rows that are not. */
  except?: RowFilter;
  fields?: FieldForms;
  /** Only rules that name one of these fields are about it. */
  namedBy?: readonly string[];
  /** What keywords, values without a field, are looked for in. */
  keywords?: readonly string[];
}

/** A kind of log. */
export interface LogSourceMapping {
  category?: string;
  service?: string;
  /** The fields that a finding shows first. */
  shows?: readonly string[];
  /** Of all records. */
  fields?: FieldForms;
  records: readonly RecordMapping[];
  /** Fields and field values that rows do not have, and why. */
  missing?: Readonly<Record<string, string>>;
}

export type SigmaMapping = readonly LogSourceMapping[];

/** The mapping that sfkit comes with. */
export const builtInMapping: SigmaMapping = builtIn;

/** The kind of log that a rule is about. */
export function logSourceFor(mapping: SigmaMapping, { category, service }: LogSource): LogSourceMapping | undefined {
  return mapping.find((known) => known.category === category && known.service === service);
}

/** A form of a field, in pieces: text as it is, and columns. */
export type FormPart = string | { column: string; change: Change | undefined };

const changes = ['noslash', 'protocol'] as const;
/** noslash: without the slash at its end; protocol: the name of a protocol's number; a number: that item of a list. */
export type Change = (typeof changes)[number] | number;

/** Reads a form: text with columns in braces, like '{proc_name} {proc_args}'. */
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
  const known = changes.find((name) => name === change) ?? (/^\d{1,3}$/.test(change) ? Number(change) : undefined);
  if (known === undefined || more.length > 0)
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `'{${excerpt(text)}}': after ':' comes one of ${changes.join(', ')}, or a number`,
    );
  return { column, change: known };
}

/** Columns of rows that rules may be about, and their types. */
export const columnTypes: ReadonlyMap<string, string> = new Map([
  ...tableColumns.sysflow.map(({ name, type }) => [name, type] as const),
  ['proc_argv', 'list'],
  ['proc_loginuid', 'i64'],
]);

function rejectColumn(column: string): never {
  const likely = nearest(excerpt(column), [...columnTypes.keys()]);
  const advice = likely === undefined ? '' : `; did you mean '${likely}'?`;
  throw new SfkitError('INVALID_ARGUMENT', `'${excerpt(column)}' is no column${advice}`);
}
