import { drawn } from '../../draw/drawing.js';
import type { DrawnColumn, Screen } from '../../draw/types.js';
import { captureTables, columns, tables } from '../../engine/columns.gen.js';
import { escapeForTerminal } from '../../engine/escape.js';
import type { SqlTable } from '../errors/types.js';

const wrapping = (name: string): DrawnColumn => ({ name, long: 'wrap' });

const meanings = new Map<string, string>(
  [...tables, ...captureTables].map(({ name, doc }) => [name, doc]),
);

/** The tables, each with its meaning. */
export function tablesText(all: readonly SqlTable[], screen: Screen | undefined): string {
  const rows = all.map(({ name, columns }) => [
    name,
    String(columns.length),
    meanings.get(name) ?? '',
  ]);
  return drawn(
    [{ name: 'table' }, { name: 'columns', right: true }, wrapping('rows')],
    rows,
    screen,
  );
}

/** The columns of tables. */
export function columnsText(chosen: readonly SqlTable[], screen: Screen | undefined): string {
  const isOne = chosen.length === 1;
  const rows = chosen.flatMap((table) =>
    table.columns.map(({ name, type }) => [
      ...(isOne ? [] : [table.name]),
      name,
      type,
      columns.find((column) => column.name === name && column.tables.includes(table.name))?.doc ??
        null,
    ]),
  );
  const head = [
    ...(isOne ? [] : [{ name: 'table' }]),
    { name: 'column' },
    { name: 'type' },
    wrapping('meaning'),
  ];
  return drawn(head, rows, screen);
}

/** Lines of names and what they do. */
export function helpText(
  commands: readonly { usage: string; does: string }[],
  screen: Screen | undefined,
): string {
  return drawn(
    [{ name: 'command' }, wrapping('does')],
    commands.map(({ usage, does }) => [usage, escapeForTerminal(does)]),
    screen,
  );
}
