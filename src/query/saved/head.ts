import { parseDocument } from 'yaml';
import { SfkitError } from '../../engine/errors.js';

// A saved query: comment lines that are YAML, then one SELECT.

export const parameterTypes = ['text', 'integer', 'number', 'time', 'seconds'] as const;
export type ParameterType = (typeof parameterTypes)[number];

export interface Parameter {
  name: string;
  type: ParameterType;
  /** Default value; undefined if a value is required. */
  fallback: string | undefined;
  description: string;
}

export interface SavedQuery {
  /** Name after the @. */
  name: string;
  /** Path of its file. */
  path: string;
  title: string;
  description: string;
  parameters: readonly Parameter[];
  sql: string;
}

/** Maximum characters of a head; real ones are far shorter. */
const maxHead = 64 << 10;
const keys = ['title', 'description', 'parameters'];

/** Parses the text of a file; throws an error with its path if the head is wrong. */
export function parseSavedQuery(name: string, path: string, text: string): SavedQuery {
  const fail = (message: string): never => {
    throw new SfkitError('INVALID_ARGUMENT', `${path}: ${message}`);
  };
  const head = /^(?:\ufeff?(?:--[^\n]*|[ \t\r]*)(?:\n|$))*/.exec(text.slice(0, maxHead))?.[0] ?? '';
  const document = parseDocument(head.replace(/^\ufeff?--[ \t]?/gm, ''), { uniqueKeys: true });
  const problem = document.errors[0];
  if (problem !== undefined)
    fail(
      `the comment before the SQL is not YAML: ${problem.message.split('\n', 1)[0]}; expected \`-- title: …\``,
    );
  const found: unknown = document.toJS({ maxAliasCount: 100 });
  const fields = isRecord(found) ? found : {};
  const unknown = Object.keys(fields).find((key) => !keys.includes(key));
  if (unknown !== undefined) fail(`'${unknown}' is unknown in a head; expected ${keys.join(', ')}`);
  const title = textOf(fields.title);
  if (title === '')
    fail(
      'the title is missing; a saved query starts with comment lines, one of them `-- title: …`',
    );
  const sql = text.slice(head.length);
  if (sql.replace(/;/g, '').trim() === '') fail('there is no SQL after the comment');
  const parameters = fields.parameters ?? {};
  if (!isRecord(parameters))
    return fail('parameters are a map: {pid: {type: integer, description: …}}');
  return {
    name,
    path,
    title,
    description: textOf(fields.description),
    parameters: Object.entries(parameters).map(([parameter, spec]) =>
      parameterOf(parameter, spec, fail),
    ),
    sql,
  };
}

function parameterOf(name: string, spec: unknown, fail: (message: string) => never): Parameter {
  if (!/^[a-z_][a-z0-9_]*$/.test(name))
    fail(`parameter '${name}': a name consists of lowercase letters, digits and underscores`);
  const { type = 'text', default: fallback, description } = isRecord(spec) ? spec : {};
  const known = parameterTypes.find((candidate) => candidate === type);
  if (known === undefined)
    return fail(`parameter '${name}': unknown type; expected ${parameterTypes.join(', ')}`);
  const hasDefault = fallback !== undefined && fallback !== null;
  return {
    name,
    type: known,
    fallback: hasDefault ? String(fallback) : undefined,
    description: textOf(description),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}
