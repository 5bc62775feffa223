import type { FieldValue } from '../finding.js';
import type { FoundRow, RecordType } from '../sql/row-rule.js';
import type {
  FieldForms,
  FormPart,
  LogSourceMapping,
  RecordMapping,
  RowFilter,
} from './mapping.js';
import { parseForm } from './mapping.js';

// Selects the fields that a finding shows, by their names in rules.

/** The known fields of a row, according to its log record. */
export class ShownFields {
  readonly #source: LogSourceMapping;
  readonly #records: readonly RecordMapping[];
  readonly #names: readonly string[];

  /** `records`: those that the rule can match. */
  constructor(
    source: LogSourceMapping,
    records: readonly RecordMapping[],
    names: readonly string[],
  ) {
    this.#source = source;
    this.#records = records;
    this.#names = names;
  }

  of(row: FoundRow): Record<string, FieldValue> {
    const record = this.#records.find((one) => isRecord(one, row));
    const forms: FieldForms = { ...this.#source.fields, ...record?.fields };
    const shown = this.#names.map((name) => [name, formValue(forms[name], row)] as const);
    return Object.fromEntries(shown.filter(([, value]) => value !== undefined)) as Record<
      string,
      FieldValue
    >;
  }

  /** The fields in one line. */
  output(row: FoundRow): string {
    return Object.entries(this.of(row))
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name}=${value}`)
      .join(', ');
  }
}

function isRecord({ types, where, except }: RecordMapping, row: FoundRow): boolean {
  return (
    types.includes(row.type as RecordType) &&
    (where === undefined || fits(where, row)) &&
    (except === undefined || !fits(except, row))
  );
}

function fits(filter: RowFilter, row: FoundRow): boolean {
  return Object.entries(filter).every(([column, wanted]) => {
    const values: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
    const value = row[column];
    return Array.isArray(value)
      ? value.some((item) => values.includes(item))
      : values.includes(value);
  });
}

/**
 * Undefined if the row does not determine the value: for several words, or for columns that
 * findings lack.
 */
function formValue(
  forms: string | readonly string[] | undefined,
  row: FoundRow,
): FieldValue | undefined {
  const [form, second] = typeof forms === 'string' ? [forms] : (forms ?? []);
  if (form === undefined) return undefined;
  const parts = parseForm(form);
  if (parts.some((part) => typeof part !== 'string' && !(part.column in row))) return undefined;
  if (second !== undefined && parts.every((part) => typeof part === 'string')) return undefined;
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return partValue(only, row);
  const values = parts.map((part) => partValue(part, row));
  return values.includes(null) ? null : values.join('').trimEnd();
}

const protocols: Readonly<Record<string, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp' };

function partValue(part: FormPart, row: FoundRow): FieldValue {
  if (typeof part === 'string') return part;
  const value = row[part.column] ?? null;
  if (part.change === 'protocol') return protocols[String(value)] ?? null;
  return part.change === 'noslash' && typeof value === 'string' ? value.replace(/\/+$/, '') : value;
}
