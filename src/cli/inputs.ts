import { SfkitError } from '../engine/errors.js';
import { explain } from './report.js';

/**
 * Reads one input. If there are several and this one is unreadable, reports it and returns
 * undefined, so that the others are read anyway.
 */
export async function readOne<Result>(
  isOneOfSeveral: boolean,
  read: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await read();
  } catch (error) {
    const isUnreadable = error instanceof SfkitError && error.code.startsWith('INPUT_');
    if (!isOneOfSeveral || !isUnreadable) throw error;
    process.stderr.write(`sfkit: ${explain(error).message}\n`);
    return undefined;
  }
}
