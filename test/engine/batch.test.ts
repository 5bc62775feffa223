import { expect, it } from 'vitest';
import { ColumnBatch } from '../../src/engine/batch.js';
import { openFlagNames } from '../../src/engine/columns.gen.js';
import { batch, nativeBatch } from '../helpers/batches.js';

it('returns values by row, including derived columns', () => {
  const rows = batch('network_flow', [
    { opflags_bitmap: 0x60, ts_uts: 5n, net_sport: 80, proc_exe: '/x', proc_tty: true },
    { proc_exe: null, proc_tty: null },
  ]);
  const get = (name: string, row: number) => rows.column(name).get(row);
  expect(get('opflags', 0)).toEqual(['ACCEPT', 'CONNECT']);
  expect(get('opflags', 1)).toEqual([]);
  expect(get('ts', 0)).toBe(5n);
  expect(get('net_sport', 0)).toBe(80);
  expect([get('proc_exe', 0), get('proc_exe', 1)]).toEqual(['/x', null]);
  expect([get('proc_tty', 0), get('proc_tty', 1)]).toEqual([true, null]);
  expect(() => rows.column('nothing')).toThrow("table network_flow has no column 'nothing'");
});

it('has the names of open flags, of which the access mode is a number', () => {
  const bits = [0, 1, 2, 3, 0x1006, 0x40000001, -1];
  const rows = batch(
    'file_flow',
    bits.map((file_openflags) => ({ file_openflags })),
  );
  const all = openFlagNames
    .map(([name]) => name)
    .filter((name) => !['O_RDONLY', 'O_WRONLY'].includes(name));
  expect(bits.map((_, row) => rows.column('openflags').get(row))).toEqual([
    [],
    ['O_RDONLY'],
    ['O_WRONLY'],
    ['O_RDWR'],
    ['O_WRONLY', 'O_CREAT', 'O_CLOEXEC'],
    ['O_RDONLY', 'PATH_DOUBTFUL'],
    all,
  ]);
});

it('has null for impossible times, and keeps their numbers', () => {
  const native = nativeBatch('process_flow', [{ ts_uts: 5n }, { ts_uts: 2n ** 63n - 1n }]);
  const column = native.columns.find(
    ({ values }) => values instanceof BigInt64Array && values[0] === 5n,
  );
  if (column !== undefined) column.possible = Uint8Array.of(0b01);
  const rows = new ColumnBatch(native);
  expect([rows.column('ts').get(0), rows.column('ts').get(1)]).toEqual([5n, null]);
  expect(rows.column('ts_uts').get(1)).toBe(2n ** 63n - 1n);
});
