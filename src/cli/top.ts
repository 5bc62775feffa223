import Table from 'cli-table3';
import { escapeForTerminal } from '../engine/escape.js';
import type { NativeTallyRow } from '../engine/native.js';
import type { Summary } from '../engine/session.js';
import { grouped } from './summary.js';

const kinds = [
  ['process', 'processes'],
  ['file', 'files'],
  ['connection', 'connections'],
] as const;

/** Lines of a table beside its rows, and of all beside the tables: the figures, and where the cursor stands. */
const linesOfTable = 3;
const linesAround = 2;

/** The busiest of the last second, as tables that fit a terminal of `columns` and, if there is an end to it, `lines`. */
export function topText(
  rows: readonly NativeTallyRow[],
  summary: Summary,
  columns: number,
  lines = Number.POSITIVE_INFINITY,
): string {
  const { events, gaps } = summary.live;
  const lost = gaps.filter(({ isLoss }) => isLoss).reduce((sum, { count }) => sum + count, 0n);
  const numbers = columns < 60 ? 9 : 14;
  const names = Math.max(columns - 3 * numbers - 5, 8);
  const most = Math.max(1, Math.floor((lines - linesAround) / kinds.length) - linesOfTable);
  const tables = kinds.map(([kind, title]) => {
    const table = new Table({
      head: [title, 'calls/s', 'read/s', 'written/s'],
      colWidths: [names, numbers, numbers, numbers],
      colAligns: ['left', 'right', 'right', 'right'],
      style: { head: [], border: [] },
      // No rules between rows, which would take half of the room.
      chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    });
    for (const row of rows.filter((candidate) => candidate.kind === kind).slice(0, most)) {
      table.push([escapeForTerminal(row.name), grouped(row.calls), bytes(row.read), bytes(row.written)]);
    }
    return table.toString();
  });
  return `${grouped(events)} events, ${grouped(lost)} lost\n${tables.join('\n')}\n`;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

function bytes(count: bigint): string {
  let size = Number(count);
  let unit = 0;
  for (; size >= 1024 && unit < units.length - 1; unit++) size /= 1024;
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

/**
 * Shows the tables in place of those of the second before; one after the other where that is no terminal. A terminal that
 * does not know its size says 0.
 */
export function showTop(rows: readonly NativeTallyRow[], summary: Summary): void {
  const { stdout } = process;
  // Whoever has not taken the last one gets a later one.
  if (stdout.writableLength > 0) return;
  if (stdout.isTTY) stdout.write('\x1b[H\x1b[J');
  stdout.write(topText(rows, summary, stdout.columns || 100, (stdout.isTTY && stdout.rows) || undefined));
}
