import { readFileSync } from 'node:fs';
import { openFlagNames, opNames } from '../../engine/columns.gen.js';
import { reasonOf, SfkitError } from '../../engine/errors.js';
import { type Mark, parseYaml, YamlError, type YamlNode } from '../falco/yaml.js';
import type { RecordType } from '../sql/row-rule.js';
import { excerpt, SigmaError } from './errors.js';
import {
  builtInMapping,
  columnTypes,
  type FieldForms,
  type LogSourceMapping,
  parseForm,
  type RecordMapping,
  type RowFilter,
  type SigmaMapping,
  type WantedValue,
} from './mapping.js';
import type { Placeholders } from './modifiers.js';
import { scalarValue, textOf, textsOf, wordOf } from './value.js';

// Reads a file that extends the mapping: fields of known logs, more logs, and values for `expand`.

export interface SigmaOptions {
  mapping: SigmaMapping;
  placeholders: Placeholders;
}

export const builtInOptions: SigmaOptions = { mapping: builtInMapping, placeholders: new Map() };

const maxBytes = 2 ** 22;

/** Reads a YAML or JSON file and adds it to the built-in mapping. */
export function readSigmaMapping(path: string): SigmaOptions {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw new SfkitError(
      'INPUT_UNREADABLE',
      `cannot read the mapping ${path}: ${reasonOf(error)}`,
      { cause: error },
    );
  }
  if (content.length > maxBytes)
    throw new SfkitError(
      'INPUT_NOT_SUPPORTED',
      `${path} is not a mapping: it has more than ${maxBytes} bytes`,
    );
  return parseSigmaMapping(content, path);
}

export function parseSigmaMapping(content: string, name: string): SigmaOptions {
  try {
    const [root, second] = parseYaml(content);
    if (root === undefined) return builtInOptions;
    if (second !== undefined)
      throw new SigmaError('a mapping must be a single document', second.mark);
    const parts = mapOf(root, 'a mapping', ['logsources', 'placeholders']);
    const added = itemsOf(parts.get('logsources'), "'logsources'").map(logSourceOf);
    return {
      mapping: added.reduce(withLogSource, builtInMapping),
      placeholders: placeholdersOf(parts.get('placeholders')),
    };
  } catch (error) {
    if (error instanceof YamlError || error instanceof SigmaError)
      throw mappingError(name, error.mark, error.message);
    throw error;
  }
}

function mappingError(name: string, { line, column }: Mark, message: string): SfkitError {
  return new SfkitError('INVALID_ARGUMENT', `${name}:${line + 1}:${column + 1}: ${message}`);
}

/**
 * Extends a known log: new fields override fields of the same name, and new records follow its own.
 */
function withLogSource(mapping: SigmaMapping, added: LogSourceMapping): SigmaMapping {
  const at = mapping.findIndex(
    ({ category, service }) => category === added.category && service === added.service,
  );
  const known = mapping[at];
  if (known === undefined) return [...mapping, added];
  const fields = { ...known.fields, ...added.fields };
  const records = known.records.map((record) => ({
    ...record,
    fields: { ...record.fields, ...added.fields },
  }));
  const merged = { ...known, ...added, fields, records: [...records, ...added.records] };
  const missing = { ...known.missing, ...added.missing };
  return mapping.with(at, { ...merged, missing });
}

function logSourceOf(node: YamlNode): LogSourceMapping {
  const keys = ['category', 'service', 'shows', 'fields', 'records', 'missing'];
  const parts = mapOf(node, 'a log source', keys);
  const category = textOf(parts.get('category'), "'category'");
  const service = textOf(parts.get('service'), "'service'");
  if (category === undefined && service === undefined)
    throw new SigmaError("a log source must have a 'category' or a 'service'", node.mark);
  const shows = textsOf(parts.get('shows'), "'shows'").map(({ text }) => text);
  return {
    ...(category === undefined ? {} : { category }),
    ...(service === undefined ? {} : { service }),
    ...(shows.length === 0 ? {} : { shows }),
    fields: fieldsOf(parts.get('fields')),
    records: itemsOf(parts.get('records'), "'records'").map(recordOf),
    missing: Object.fromEntries(
      pairsOf(parts.get('missing'), "'missing'").map(([key, value]) => [
        key,
        textOf(value, `'${key}'`) ?? '',
      ]),
    ),
  };
}

const recordTypes: readonly RecordType[] = ['PE', 'FE', 'NE', 'NF', 'FF', 'PF', 'KE'];

function recordOf(node: YamlNode): RecordMapping {
  const parts = mapOf(node, 'a record', [
    'types',
    'where',
    'except',
    'fields',
    'namedBy',
    'keywords',
  ]);
  const named = parts.get('types');
  const types = textsOf(named, "'types'").map(
    (type) => wordOf(type, 'a type', recordTypes) as RecordType,
  );
  if (types.length === 0)
    throw new SigmaError(`a record must have 'types': ${recordTypes.join(', ')}`, node.mark);
  const namedBy = textsOf(parts.get('namedBy'), "'namedBy'").map(({ text }) => text);
  const filters = { where: parts.get('where'), except: parts.get('except') };
  return {
    types,
    ...(filters.where === undefined ? {} : { where: filterOf(filters.where, "'where'") }),
    ...(filters.except === undefined ? {} : { except: filterOf(filters.except, "'except'") }),
    fields: fieldsOf(parts.get('fields')),
    ...(namedBy.length === 0 ? {} : { namedBy }),
    keywords: formsOf(parts.get('keywords'), "'keywords'"),
  };
}

function fieldsOf(node: YamlNode | undefined): FieldForms {
  return Object.fromEntries(
    pairsOf(node, "'fields'").map(([field, forms]) => [
      field,
      formsOf(forms, `'${excerpt(field)}'`),
    ]),
  );
}

function formsOf(node: YamlNode | undefined, what: string): string[] {
  return textsOf(node, what).map(({ text, mark }) => {
    at(mark, () => parseForm(text));
    return text;
  });
}

function filterOf(node: YamlNode, what: string): RowFilter {
  const entries = pairsOf(node, what).map(([column, value]): [string, WantedValue[]] => {
    if (!columnTypes.has(column))
      throw new SigmaError(`'${excerpt(column)}' is not a column`, value.mark);
    const items = value.kind === 'sequence' ? value.items : [value];
    return [column, items.map((item) => wantedValue(column, item))];
  });
  return Object.fromEntries(entries);
}

function wantedValue(column: string, node: YamlNode): WantedValue {
  const value = scalarValue(node);
  const type = columnTypes.get(column);
  const names =
    type === 'ops' ? opNames : type === 'flags' ? openFlagNames.map(([name]) => name) : [];
  if (value.type === 'text' && names.includes(value.text)) return value.text;
  if (type === 'str' && value.type !== 'null') return value.text;
  if (type === 'bool' && value.type === 'boolean') return value.boolean;
  if ((type === 'i32' || type === 'i64') && value.type === 'number') return Number(value.number);
  const expected =
    names.length > 0
      ? `one of ${names.join(', ')}`
      : type === 'str'
        ? 'a text'
        : type === 'bool'
          ? 'true or false'
          : 'a number';
  throw new SigmaError(`${column}: expected ${expected}`, node.mark);
}

function placeholdersOf(node: YamlNode | undefined): Placeholders {
  return new Map(
    pairsOf(node, "'placeholders'").map(([name, values]) => [
      name,
      textsOf(values, `'${excerpt(name)}'`).map(({ text }) => text),
    ]),
  );
}

function mapOf(node: YamlNode, what: string, keys: readonly string[]): Map<string, YamlNode> {
  const entries = pairsOf(node, what);
  const [unknown] = entries.find(([key]) => !keys.includes(key)) ?? [];
  if (unknown !== undefined)
    throw new SigmaError(
      `${what}: unknown key '${excerpt(unknown)}'; expected ${keys.join(', ')}`,
      node.mark,
    );
  return new Map(entries);
}

function pairsOf(node: YamlNode | undefined, what: string): [string, YamlNode][] {
  if (node === undefined || node.kind === 'null') return [];
  if (node.kind !== 'map') throw new SigmaError(`${what} must be a map`, node.mark);
  return node.pairs.map(({ key, value }) => {
    if (key.kind !== 'scalar') throw new SigmaError('a key must be a text', key.mark);
    return [key.text, value];
  });
}

function itemsOf(node: YamlNode | undefined, what: string): readonly YamlNode[] {
  if (node === undefined || node.kind === 'null') return [];
  if (node.kind !== 'sequence') throw new SigmaError(`${what} must be a list`, node.mark);
  return node.items;
}

/** Reports an error in a form at the location of the form. */
function at(mark: Mark, read: () => unknown): void {
  try {
    read();
  } catch (error) {
    throw new SigmaError((error as Error).message, mark);
  }
}
