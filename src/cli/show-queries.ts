import { standardScreen } from '../draw/screen.js';
import { findQuery } from '../query/saved/library.js';
import { queriesText, queryText } from '../query/saved/listing.js';
import { standardOutput } from './pager.js';

/** Prints the saved queries, or one of them with its parameters and SQL. */
export async function showQueries(
  name: string | undefined,
  flags: Parameters<typeof standardOutput>[0],
): Promise<void> {
  const sink = standardOutput(flags);
  try {
    await sink.write(
      name === undefined ? queriesText(standardScreen()) : queryText(findQuery(name)),
    );
    await sink.close();
  } catch (error) {
    sink.discard();
    throw error;
  }
}
