import { tmpdir } from 'node:os';
import { isSystemError, SfkitError, unwritable } from '../engine/errors.js';

/** Runs an action of DuckDB and converts its error to one line. `place` is the directory of its temporary files. */
export async function onSqlError<T>(action: () => Promise<T>, place = tmpdir()): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof SfkitError) throw error;
    if (isSystemError(error)) throw unwritable(place, error);
    throw new SfkitError('SQL_ERROR', oneLine((error as Error).message), { cause: error });
  }
}

/** Maximum length of a message: messages quote values, which can be long. */
const maxMessage = 1000;

/** DuckDB's message without the picture of the statement. */
function oneLine(message: string): string {
  const text = message.replace(/^Failed to extract statements: /, '').split(/\n\s*LINE \d+:/, 1)[0] as string;
  const line = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ');
  return line.length > maxMessage ? `${line.slice(0, maxMessage)}…` : line;
}
