import { escapeJson } from './escape.js';

/**
 * A value as JSON. Numbers of 64 bits (bigint), for which `JSON.stringify` throws, become digits: JSON allows them at any
 * length, and nothing is rounded. Invisible characters of texts are written as \\uNNNN. What JSON has no form for
 * (undefined, functions) is left out of objects and is null in arrays, as with `JSON.stringify`.
 */
export function toJson(value: unknown): string {
  return written(value) ?? 'null';
}

function written(value: unknown): string | undefined {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string') return escapeJson(JSON.stringify(value));
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) as string | undefined;
  if ('toJSON' in value && typeof value.toJSON === 'function') return written(value.toJSON());
  if (Array.isArray(value)) return `[${value.map((item) => written(item) ?? 'null').join(',')}]`;
  const members = Object.entries(value).flatMap(([name, item]) => {
    const text = written(item);
    return text === undefined ? [] : [`${written(name)}:${text}`];
  });
  return `{${members.join(',')}}`;
}
