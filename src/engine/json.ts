import { escapeJson } from './escape.js';

/**
 * Writes a value as JSON. 64-bit numbers (bigint), for which `JSON.stringify` throws, become
 * digits: JSON allows any length, and nothing is rounded. Invisible characters in texts become
 * \\uNNNN. Values without a JSON form (undefined, functions) are left out of objects and are null
 * in arrays, as with `JSON.stringify`.
 */
export function toJson(value: unknown): string {
  return written(value) ?? 'null';
}

function written(value: unknown): string | undefined {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string') return escapeJson(JSON.stringify(value));
  if (typeof value !== 'object' || value === null)
    return JSON.stringify(value) as string | undefined;
  if ('toJSON' in value && typeof value.toJSON === 'function') return written(value.toJSON());
  if (Array.isArray(value)) return `[${value.map((item) => written(item) ?? 'null').join(',')}]`;
  const members = Object.entries(value).flatMap(([name, item]) => {
    const text = written(item);
    return text === undefined ? [] : [`${written(name)}:${text}`];
  });
  return `{${members.join(',')}}`;
}
