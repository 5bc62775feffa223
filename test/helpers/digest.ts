import { type TableName, tableColumns } from '../../src/engine/columns.gen.js';
import { escapeForTerminal } from '../../src/engine/escape.js';

/** A value in the form that every reader can be brought to. */
export type Plain = string | bigint | boolean | readonly string[] | null;

/** Per column how many values there are and a sum over them that does not depend on the order of rows. */
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

/** CSV shows control characters as \xNN; the others are compared in the same form. */
function visible(text: string): string {
  return escapeForTerminal(text.replaceAll('\n', '').replaceAll('\t', ''));
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}
