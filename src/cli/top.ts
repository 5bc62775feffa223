import { paintOf, TableLines } from '../draw/lines.js';
import { standardScreen } from '../draw/screen.js';
import { shortened, textWidth } from '../draw/width.js';
import { escapeForTerminal } from '../engine/escape.js';
import type { Summary, TallyRow } from '../engine/session.js';
import { grouped } from '../engine/summary-text.js';

const kinds = [
  ['process', 'processes'],
  ['file', 'files'],
  ['connection', 'connections'],
] as const;

/**
 * Lines of a table besides its rows, and lines besides the tables: the totals and the cursor line.
 */
const linesOfTable = 3;
const linesAround = 2;

/**
 * The busiest of the last second, as tables that fit `columns` and, if known, `lines` of a
 * terminal.
 */
export function topText(
  rows: readonly TallyRow[],
  summary: Summary,
  columns: number,
  lines = Number.POSITIVE_INFINITY,
  paint = paintOf(false),
): string {
  const { events, gaps } = summary.live;
  const lost = gaps.filter(({ isLoss }) => isLoss).reduce((sum, { count }) => sum + count, 0n);
  const numbers = columns < 60 ? 9 : 14;
  const names = Math.max(columns - 3 * numbers - 5, 8);
  const maxRows = Math.max(1, Math.floor((lines - linesAround) / kinds.length) - linesOfTable);
  const widths = [names, numbers, numbers, numbers].map((width) => width - 2);
  const fitted = (cells: readonly string[]) =>
    cells.map((cell, index) => shortened(cell, widths[index] as number));
  const tables = kinds.map(([kind, title]) => {
    const table = new TableLines(
      widths.map((width, index) => ({ width, right: index > 0 })),
      paint,
    );
    const heading = fitted([title, 'calls/s', 'read/s', 'written/s']);
    const busiest = rows
      .filter((candidate) => candidate.kind === kind)
      .slice(0, maxRows)
      .map(({ name, calls, read, written }) =>
        fitted([escapeForTerminal(name), grouped(calls), bytes(read), bytes(written)]),
      );
    // No rule below the heading, to save a line.
    return [
      table.head(
        heading.map((name) => [name]),
        false,
      ),
      ...busiest.map((cells) => table.row(cells, cells.map(textWidth))),
      table.foot(),
    ].join('');
  });
  return `${grouped(events)} events, ${grouped(lost)} lost\n${tables.join('')}`;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

function bytes(count: bigint): string {
  let size = Number(count);
  let unit = 0;
  for (; size >= 1024 && unit < units.length - 1; unit++) size /= 1024;
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

/** Shows the tables. On a terminal they replace those of the previous second. */
export function showTop(rows: readonly TallyRow[], summary: Summary): void {
  const { stdout } = process;
  // Skip an update while a slow reader still has the previous one.
  if (stdout.writableLength > 0) return;
  if (stdout.isTTY) stdout.write('\x1b[H\x1b[J');
  const screen = standardScreen();
  stdout.write(
    topText(rows, summary, screen?.columns ?? 100, screen?.rows, paintOf(screen?.color ?? false)),
  );
}
