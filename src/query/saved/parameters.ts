import { SfkitError } from '../../engine/errors.js';
import { nearest } from '../../engine/nearest.js';
import type { Parameter, ParameterType, SavedQuery } from './head.js';

/** Values for the parameters ($name) of a statement, in the types that DuckDB accepts. */
export type ParameterValues = Readonly<Record<string, bigint | number | string | null>>;

/**
 * Parses NAME=VALUE texts. For a saved query, checks them against its parameters and adds its
 * defaults.
 */
export function parameterValues(given: readonly string[], query?: SavedQuery): ParameterValues {
  const texts = new Map<string, string>();
  for (const each of given) {
    const at = each.indexOf('=');
    if (at < 1) refuse(`--param ${each}: expected NAME=VALUE`);
    texts.set(each.slice(0, at), each.slice(at + 1));
  }
  if (query === undefined)
    return Object.fromEntries([...texts].map(([name, text]) => [name, guessed(text)]));
  const names = query.parameters.map(({ name }) => name);
  for (const name of texts.keys()) {
    if (names.includes(name)) continue;
    const near = nearest(name, names);
    const known = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`;
    refuse(
      `@${query.name} has no parameter '${name}'; ${near === undefined ? known : `did you mean '${near}'?`}`,
    );
  }
  return Object.fromEntries(
    query.parameters.map((parameter) => {
      const text = texts.get(parameter.name) ?? parameter.fallback;
      if (text === undefined)
        refuse(`@${query.name} needs --param ${parameter.name}=${shapeOf(parameter)}`);
      return [parameter.name, typed(parameter, text)];
    }),
  );
}

function shapeOf({ type, description }: Parameter): string {
  return `${type.toUpperCase()}${description === '' ? '' : ` (${description})`}`;
}

function typed({ name, type }: Parameter, text: string): bigint | number | string | null {
  const wrong = (expected: string) => refuse(`--param ${name}=${text}: expected ${expected}`);
  const readers: Readonly<Record<ParameterType, () => bigint | number | string>> = {
    text: () => text,
    integer: () => (/^-?\d{1,18}$/.test(text) ? BigInt(text) : wrong('a whole number')),
    number: () => (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : wrong('a number')),
    seconds: () => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : wrong('seconds, such as 5 or 0.5')),
    time: () =>
      isTime(text) ? text.replace(/Z$/, '') : wrong('a time in UTC, such as 2026-03-02T10:00:05'),
  };
  return readers[type]();
}

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,9})?)?Z?)?$/.test(text);
}

/** The user's own SQL declares no types, so the value decides. */
function guessed(text: string): bigint | string {
  return /^-?\d{1,18}$/.test(text) ? BigInt(text) : text;
}

function refuse(message: string): never {
  throw new SfkitError('INVALID_ARGUMENT', message);
}
