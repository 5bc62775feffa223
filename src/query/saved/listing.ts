import { drawn } from '../../draw/drawing.js';
import type { Screen } from '../../draw/types.js';
import { escapeForTerminal } from '../../engine/escape.js';
import type { SavedQuery } from './head.js';
import { listQueries } from './library.js';

const wrapped = ['answers', 'parameters'].map((name) => ({ name, long: 'wrap' as const }));

/** A table of all saved queries. */
export function queriesText(screen: Screen | undefined): string {
  const rows = listQueries().map((query) => [
    `@${query.name}`,
    escapeForTerminal(query.title),
    query.parameters
      .map(({ name, fallback }) =>
        fallback === undefined ? name : `${name}=${escapeForTerminal(fallback)}`,
      )
      .join(' '),
  ]);
  return drawn([{ name: 'query' }, ...wrapped], rows, screen);
}

/** A saved query with its parameters and SQL. */
export function queryText(query: SavedQuery): string {
  const parameters = query.parameters.map(({ name, type, fallback, description }) => {
    const given = fallback === undefined ? 'required' : `default ${escapeForTerminal(fallback)}`;
    return `  --param ${name}=${type.toUpperCase()}  ${escapeForTerminal(description)} (${given})\n`;
  });
  const text = [query.title, query.description]
    .filter((part) => part !== '')
    .map(escapeForTerminal)
    .join('\n');
  return `${text}\n${parameters.join('')}\n${query.sql.trim()}\n`;
}
