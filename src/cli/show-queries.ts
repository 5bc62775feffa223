import { drawn } from '../draw/drawing.js';
import { standardScreen } from '../draw/screen.js';
import { escapeForTerminal } from '../engine/escape.js';
import { findQuery, listQueries } from '../query/saved/library.js';
import { standardOutput } from './pager.js';

/** Prints the saved queries, or one of them with its parameters and SQL. */
export async function showQueries(
  name: string | undefined,
  flags: Parameters<typeof standardOutput>[0],
): Promise<void> {
  const sink = standardOutput(flags);
  try {
    if (name === undefined) {
      const rows = listQueries().map((query) => [
        `@${query.name}`,
        escapeForTerminal(query.title),
        query.parameters
          .map(({ name, fallback }) => (fallback === undefined ? name : `${name}=${escapeForTerminal(fallback)}`))
          .join(' '),
      ]);
      await sink.write(drawn([{ name: 'query' }, ...wrapped], rows, standardScreen()));
    } else {
      const query = findQuery(name);
      const parameters = query.parameters.map(({ name, type, fallback, description }) => {
        const given = fallback === undefined ? 'required' : `default ${escapeForTerminal(fallback)}`;
        return `  --param ${name}=${type.toUpperCase()}  ${escapeForTerminal(description)} (${given})\n`;
      });
      const text = [query.title, query.description]
        .filter((part) => part !== '')
        .map(escapeForTerminal)
        .join('\n');
      await sink.write(`${text}\n${parameters.join('')}\n${query.sql.trim()}\n`);
    }
    await sink.close();
  } catch (error) {
    sink.discard();
    throw error;
  }
}

const wrapped = ['answers', 'parameters'].map((name) => ({ name, long: 'wrap' as const }));
