import { tableFromIPC } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { ArrowTableWriter } from '../../src/export/arrow.js';
import { batch, type Row } from '../helpers/batches.js';
import { memorySink } from '../helpers/sinks.js';

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
  { idx: 1, type: 'FF', opflags_bitmap: 0x180, ts_uts: -1n, proc_exe: null, proc_tty: null, file_path: 'x' },
];
const second: Row[] = [{ idx: 2, type: 'FF', proc_exe: '/bin/b', file_path: 'x' }];

describe.each(['file', 'stream'] as const)('an Arrow %s', (form) => {
  it('holds exact values, and strings of all batches through one growing dictionary', async () => {
    const sink = memorySink();
    const writer = new ArrowTableWriter('file_flow', form, sink);
    await writer.write(batch('file_flow', first));
    await writer.write(batch('file_flow', second));
    await writer.close();

    const table = tableFromIPC(sink.bytes());

    expect(table.schema.metadata.get('sfkit.table')).toBe('file_flow');
    expect(table.numRows).toBe(3);
    const column = (name: string) => [...(table.getChild(name) as Iterable<unknown>)];
    expect(column('proc_exe')).toEqual(['/bin/a', null, '/bin/b']);
    expect(column('file_path')).toEqual([null, 'x', 'x']);
    expect(column('proc_tty')).toEqual([true, null, null]);
    expect(column('flow_rbytes')).toEqual([2n ** 62n, 0n, 0n]);
    expect(table.getChild('opflags')?.get(1)?.toArray()).toEqual(['OPEN', 'READ_RECV']);
    expect(table.getChild('ts')?.data[0]?.values[0]).toBe(1_600_000_000_123_456_789n);
    expect(String(table.schema.fields.find((field) => field.name === 'ts')?.type)).toBe('Timestamp<NANOSECOND, UTC>');
  });

  it('of a table without rows has its columns', async () => {
    const sink = memorySink();
    await new ArrowTableWriter('pod', form, sink).close();
    const table = tableFromIPC(sink.bytes());
    expect(table.numRows).toBe(0);
    expect(table.schema.fields.map((field) => field.name)).toContain('pod_name');
  });
});
