import { tmpdir } from 'node:os';
import { isSystemError, SfkitError, unwritable } from '../engine/errors.js';

/** Makes DuckDB's errors carry their parts; see decodeError(). */
export const errorsWithParts = 'SET errors_as_json = true';

/** An error of DuckDB in parts. */
export interface DuckDbError {
  /** Such as Binder, Catalog, Conversion or Parser. */
  kind: string;
  message: string;
  /** Offset in the SQL, in bytes of UTF-8. */
  position: number | undefined;
  /** What could not be found, if that is the problem. */
  name: string | undefined;
  /** Kind of what could not be found, such as Table or Scalar Function. */
  missing: string | undefined;
  /** Similar names that exist. */
  candidates: readonly string[];
}

/**
 * The parts of an error, most of them only with `errorsWithParts`; undefined for errors that are
 * not DuckDB's.
 */
export function decodeError(error: unknown): DuckDbError | undefined {
  const text = error instanceof Error ? error.message : '';
  const start = text.indexOf('{"exception_type":');
  if (start < 0) return decodeText(text);
  let parts: Record<string, unknown>;
  try {
    parts = JSON.parse(text.slice(start));
  } catch {
    return undefined;
  }
  const part = (name: string) =>
    typeof parts[name] === 'string' ? (parts[name] as string) : undefined;
  const position = Number(part('position') ?? Number.NaN);
  return {
    kind: part('exception_type') ?? '',
    message: part('exception_message') ?? '',
    position: Number.isSafeInteger(position) ? position : undefined,
    name: part('name'),
    missing: part('error_subtype') === 'COLUMN_NOT_FOUND' ? 'Column' : part('type'),
    candidates: (part('candidates') ?? '').split(',').filter((candidate) => candidate !== ''),
  };
}

function decodeText(text: string): DuckDbError | undefined {
  const [, kind, message] = /^([A-Z][A-Za-z ]*) Error: ([\s\S]*)$/.exec(text) ?? [];
  if (kind === undefined || message === undefined) return undefined;
  return {
    kind,
    message,
    position: undefined,
    name: undefined,
    missing: undefined,
    candidates: [],
  };
}

/** The error with DuckDB's usual message. */
export function plainError(error: unknown): Error {
  const parts = decodeError(error);
  if (parts === undefined) return error instanceof Error ? error : new Error(String(error));
  return new Error(`${parts.kind} Error: ${parts.message}`, { cause: error });
}

/**
 * Runs an action of DuckDB and converts its error to one line. `place` is the directory of its
 * temporary files.
 */
export async function onSqlError<T>(action: () => Promise<T>, place = tmpdir()): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof SfkitError) throw error;
    const plain = plainError(error);
    if (isSystemError(error)) throw unwritable(place, error);
    if (isSystemError(plain)) throw unwritable(place, plain);
    throw new SfkitError('SQL_ERROR', oneLine(plain.message), { cause: error });
  }
}

/** Maximum length of a message: messages quote values, which can be long. */
const maxMessage = 1000;

/** DuckDB's message without the picture of the statement. */
function oneLine(message: string): string {
  const text = message
    .replace(/^Failed to extract statements: /, '')
    .split(/\n\s*LINE \d+:/, 1)[0] as string;
  const line = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ');
  return line.length > maxMessage ? `${line.slice(0, maxMessage)}…` : line;
}
