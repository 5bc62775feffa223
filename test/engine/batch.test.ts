import { expect, it } from 'vitest';
import { batch } from '../helpers/batches.js';

it('gives values by row, derived columns included', () => {
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
