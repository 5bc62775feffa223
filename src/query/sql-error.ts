import { SfkitError } from '../engine/errors.js';

/** Runs what DuckDB may refuse; its refusal comes as one line. */
export async function onSqlError<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof SfkitError || (error as NodeJS.ErrnoException).code !== undefined) throw error;
    throw new SfkitError('SQL_ERROR', oneLine((error as Error).message), { cause: error });
  }
}

/** DuckDB's message without the picture of the statement. */
function oneLine(message: string): string {
  const text = message.replace(/^Failed to extract statements: /, '').split(/\n\s*LINE \d+:/, 1)[0] as string;
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ');
}
