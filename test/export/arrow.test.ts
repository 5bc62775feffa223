import { MessageReader, tableFromIPC } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { schemaVersion } from '../../src/engine/columns.gen.js';
import { batch, type Row } from '../helpers/batches.js';
import { arrowOf } from '../helpers/table-files.js';

const first: Row[] = [
  {
    idx: 0,
    type: 'FF',
    opflags_bitmap: 0x80,
    ts_uts: 1_600_000_000_123_456_789n,
    proc_exe: '/bin/a',
    proc_tty: true,
    flow_rbytes: 2n ** 62n,
  },
  {
    idx: 1,
    type: 'FF',
    opflags_bitmap: 0x180,
    ts_uts: -1n,
    proc_exe: null,
    proc_tty: null,
    file_path: 'x',
  },
];
const second: Row[] = [{ idx: 2, type: 'FF', proc_exe: '/bin/b', file_path: 'x' }];

describe.each(['file', 'stream'] as const)('an Arrow %s', (form) => {
  it('contains exact values, and the strings of all batches', async () => {
    const table = tableFromIPC(
      await arrowOf(form, 'file_flow', [batch('file_flow', first), batch('file_flow', second)]),
    );

    expect(table.schema.metadata.get('sfkit.table')).toBe('file_flow');
    expect(table.schema.metadata.get('sfkit.schema')).toBe(String(schemaVersion));
    expect(table.numRows).toBe(3);
    const column = (name: string) => [...(table.getChild(name) as Iterable<unknown>)];
    expect(column('proc_exe')).toEqual(['/bin/a', null, '/bin/b']);
    expect(column('file_path')).toEqual([null, 'x', 'x']);
    expect(column('proc_tty')).toEqual([true, null, null]);
    expect(column('flow_rbytes')).toEqual([2n ** 62n, 0n, 0n]);
    expect(table.getChild('opflags')?.get(1)?.toArray()).toEqual(['OPEN', 'READ_RECV']);
    expect(table.getChild('ts')?.data[0]?.values[0]).toBe(1_600_000_000_123_456_789n);
    expect(String(table.schema.fields.find((field) => field.name === 'ts')?.type)).toBe(
      'Timestamp<NANOSECOND, UTC>',
    );
  });

  it('of a table without rows has its columns', async () => {
    const table = tableFromIPC(await arrowOf(form, 'pod', []));
    expect(table.numRows).toBe(0);
    expect(table.schema.fields.map((field) => field.name)).toContain('pod_name');
  });

  it('has no delta dictionaries', async () => {
    const batches = [first, second, first].map((rows) => batch('file_flow', rows));
    const dictionaries = dictionariesOf(await arrowOf(form, 'file_flow', batches), form);
    expect(dictionaries.filter(({ isDelta }) => isDelta)).toEqual([]);
    const ids = dictionaries.map(({ id }) => id);
    // Complete from the start in a file; in a stream each replaces the previous one if it differs.
    if (form === 'file') expect(ids.length).toBe(new Set(ids).size);
    else expect(ids.length).toBeLessThan(3 * new Set(ids).size);
  });

  it('has null for impossible times', async () => {
    const times = [0n, -1n, 2n ** 63n - 2n, 2n ** 63n - 1n, -(2n ** 63n)];
    const rows = times.map((time) => ({ ts_uts: time, pod_id: 'x' }));
    const table = tableFromIPC(await arrowOf(form, 'pod', [batch('pod', rows)]));
    expect([...(table.getChild('ts_uts') as Iterable<bigint>)]).toEqual(times);
    if (form === 'file')
      expect(times.map((_, row) => table.getChild('ts')?.isValid(row))).toEqual([
        true,
        false,
        true,
        false,
        false,
      ]);
  });
});

it('a file has null ends for events, which have no end, and for impossible ends', async () => {
  const ends = (endts: (bigint | null)[]) =>
    batch(
      'sysflow',
      endts.map((endts_uts) => ({ type: 'PE', endts_uts })),
    );
  const table = tableFromIPC(
    await arrowOf('file', 'sysflow', [ends([null, 5n]), ends([null, -1n, 0n])]),
  );
  const endts = [0, 1, 2, 3, 4].map((row) => table.getChild('endts')?.isValid(row));
  expect(endts).toEqual([false, true, false, false, true]);
});

it('has plain text in a file for a column with too many strings', async () => {
  const rows = Array.from({ length: 700 }, (_, index) => ({
    pod_id: `${index}`.padStart(1000, '0'),
    pod_name: 'one',
  }));
  const table = tableFromIPC(await arrowOf('file', 'pod', [batch('pod', rows)]));
  const types = new Map(table.schema.fields.map(({ name, type }) => [name, String(type)]));
  expect(types.get('pod_id')).toBe('Utf8');
  expect(types.get('pod_name')).toBe('Dictionary<Int32, Utf8>');
});

it('a truncated stream is readable', async () => {
  const whole = await arrowOf('stream', 'file_flow', [batch('file_flow', first)]);
  // Without the last 8 bytes, the end marker.
  expect(tableFromIPC(whole.subarray(0, -8)).numRows).toBe(first.length);
});

function dictionariesOf(
  bytes: Uint8Array,
  form: 'file' | 'stream',
): { id: number; isDelta: boolean }[] {
  const reader = new MessageReader(form === 'file' ? bytes.subarray(8) : bytes);
  const found: { id: number; isDelta: boolean }[] = [];
  for (let message = reader.readMessage(); message !== null; message = reader.readMessage()) {
    if (message.isDictionaryBatch()) {
      const { id, isDelta } = message.header();
      found.push({ id: Number(id), isDelta });
    }
    reader.readMessageBody(message.bodyLength);
    if (message.bodyLength === 0 && message.headerType === 0) break;
  }
  return found;
}
