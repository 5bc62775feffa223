import { type TableName, tableColumns } from '../../src/engine/columns.gen.js';
import { escapeForTerminal } from '../../src/engine/escape.js';

/** A value in a form that every reader can produce. */
export type Plain = string | bigint | boolean | readonly string[] | null;

/** Per column: the number of values, and a sum of them that does not depend on row order. */
export interface Digest {
  rows: number;
  columns: Record<string, string>;
}

export function digest(table: TableName, rows: Iterable<(column: string) => Plain>): Digest {
  const columns = tableColumns[table];
  const sums = columns.map(() => 0n);
  const counts = columns.map(() => 0);
  let total = 0;
  for (const value of rows) {
    total += 1;
    columns.forEach((column, index) => {
      const cell = value(column.name);
      if (cell === null) return;
      counts[index] = (counts[index] as number) + 1;
      sums[index] = (sums[index] as bigint) + weight(cell);
    });
  }
  return {
    rows: total,
    columns: Object.fromEntries(
      columns.map((column, index) => [column.name, `${counts[index]} values, sum ${sums[index]}`]),
    ),
  };
}

function weight(cell: Exclude<Plain, null>): bigint {
  if (typeof cell === 'bigint') return cell;
  if (typeof cell === 'boolean') return cell ? 1n : 0n;
  if (typeof cell === 'string') return BigInt(hash(visible(cell)));
  return cell.reduce((sum, name) => sum + BigInt(hash(name)), BigInt(cell.length));
}

/** CSV writes control characters as \xNN; values of other formats are compared in the same form. */
function visible(text: string): string {
  return escapeForTerminal(text.replaceAll('\n', '').replaceAll('\t', ''));
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}
