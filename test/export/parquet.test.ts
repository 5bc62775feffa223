import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { schemaVersion } from '../../src/engine/columns.gen.js';
import { ParquetWriter } from '../../src/export/parquet.js';
import { batch, type Row } from '../helpers/batches.js';
import { parquetOf } from '../helpers/table-files.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-parquet-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function write(name: string, batches: readonly (readonly Row[])[]): Promise<ArrayBuffer> {
  const path = join(directory, `${name}.parquet`);
  const scratch = mkdtempSync(join(directory, 'scratch-'));
  const writer = new ParquetWriter(scratch, ['file_flow']);
  for (const rows of batches) writer.append(batch('file_flow', rows));
  await writer.write(new Map([['file_flow', path]]));
  writer.close();
  return Uint8Array.from(readFileSync(path)).buffer;
}

const rows: Row[] = [
  {
    idx: 0,
    type: 'FF',
    opflags_bitmap: 0x180,
    ts_uts: 1_600_000_000_123_456_789n,
    proc_exe: '/bin/\u00e9',
    proc_tty: true,
    flow_rbytes: 2n ** 62n,
  },
  { idx: 1, type: 'FF', ts_uts: -1n, proc_exe: null, proc_args: 'NUL \0 inside' },
];

it('keeps exact integers, times, lists, missing values and any string', async () => {
  const file = await write('a', [rows]);
  const read = await parquetReadObjects({ file, compressors, utf8: true });
  expect(read[0]).toMatchObject({
    idx: 0n,
    proc_exe: '/bin/\u00e9',
    proc_tty: true,
    flow_rbytes: 2n ** 62n,
    opflags: ['OPEN', 'READ_RECV'],
  });
  expect(read[1]).toMatchObject({
    proc_exe: null,
    proc_args: 'NUL \0 inside',
    proc_tty: null,
    opflags: [],
  });
  const metadata = parquetMetadata(file);
  expect(metadata.key_value_metadata).toContainEqual({ key: 'sfkit.table', value: 'file_flow' });
  expect(metadata.key_value_metadata).toContainEqual({
    key: 'sfkit.schema',
    value: String(schemaVersion),
  });
});

it('keeps the order of many batches with more strings than one byte or two can count', async () => {
  const batches = [10, 300, 70_000].map((count) =>
    Array.from(
      { length: count },
      (_, index): Row => ({
        idx: index,
        type: 'FF',
        proc_exe: index % 3 === 0 ? null : `exe ${index}`,
        file_path: `${count}/${index}`,
      }),
    ),
  );
  const read = await parquetReadObjects({
    file: await write('b', batches),
    compressors,
    utf8: true,
  });
  expect(read.map((row) => row.file_path)).toEqual(batches.flat().map((row) => row.file_path));
  expect(read.map((row) => row.proc_exe)).toEqual(batches.flat().map((row) => row.proc_exe));
});

it('gives the same bytes twice', async () => {
  expect(
    Buffer.from(await write('c', [rows, rows])).equals(Buffer.from(await write('d', [rows, rows]))),
  ).toBe(true);
});

describe('times', () => {
  const times = [0n, 1_600_000_000_123_456_789n, -1n, 2n ** 63n - 2n, 2n ** 63n - 1n, -(2n ** 63n)];
  const timesOf = async (timestamps?: 'ns' | 'us') => {
    const rows = times.map((time, idx) => ({ idx, type: 'FF', ts_uts: time }));
    const file = await parquetOf(
      'file_flow',
      [batch('file_flow', rows)],
      timestamps === undefined ? {} : { timestamps },
    );
    const ts = parquetMetadata(file).schema.find(({ name }) => name === 'ts');
    const asIs = (time: bigint) => time;
    const parsers = { timestampFromNanoseconds: asIs, timestampFromMicroseconds: asIs } as never;
    const read = await parquetReadObjects({
      file,
      compressors,
      columns: ['ts', 'ts_uts'],
      parsers,
    });
    expect(read.map((row) => row.ts_uts)).toEqual(times);
    return { type: ts?.logical_type, values: read.map((row) => row.ts) };
  };

  it.each([undefined, 'ns'] as const)('are exact nanoseconds with %s', async (unit) => {
    expect(await timesOf(unit)).toEqual({
      type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'NANOS' },
      values: [0n, 1_600_000_000_123_456_789n, null, 2n ** 63n - 2n, null, null],
    });
  });

  it('are microseconds marked as UTC with us', async () => {
    expect(await timesOf('us')).toEqual({
      type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
      values: [0n, 1_600_000_000_123_456n, null, (2n ** 63n - 2n) / 1000n, null, null],
    });
  });
});
