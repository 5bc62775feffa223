import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/duckdb/database.js';
import { schemaVersion, tableColumns } from '../../src/engine/columns.gen.js';
import { batch, type Row } from '../helpers/batches.js';
import { inDirectory, parquetOf } from '../helpers/table-files.js';

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
  const file = await parquetOf('file_flow', [batch('file_flow', rows)]);
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
    file: await parquetOf(
      'file_flow',
      batches.map((rows) => batch('file_flow', rows)),
    ),
    compressors,
    utf8: true,
  });
  expect(read.map((row) => row.file_path)).toEqual(batches.flat().map((row) => row.file_path));
  expect(read.map((row) => row.proc_exe)).toEqual(batches.flat().map((row) => row.proc_exe));
});

it('gives the same bytes twice', async () => {
  const write = () => parquetOf('file_flow', [batch('file_flow', rows), batch('file_flow', rows)]);
  expect(Buffer.from(await write()).equals(Buffer.from(await write()))).toBe(true);
});

describe('numbers', () => {
  /** Numbers of a column by the way they are stored. */
  const columns: Record<string, (index: number) => bigint> = {
    // The same in all rows, and a few: a dictionary.
    proc_uid: () => -1n,
    proc_gid: (index) => BigInt(index % 5) - 2n,
    // Too many for one: differences, also of the largest ones, which wrap around.
    proc_pid: (index) => BigInt(index),
    proc_createts: (index) => (index % 2 === 0 ? -(2n ** 63n) : 2n ** 63n - 1n) ^ BigInt(index),
    flow_rbytes: (index) => BigInt.asIntN(64, BigInt(index) * 0x9e3779b97f4a7c15n),
    file_fd: (index) => BigInt.asIntN(32, BigInt(index) * 0x9e3779b9n),
    // First repeated, then not: both.
    flow_wbytes: (index) => BigInt(index < 20_000 ? index % 7 : index * index),
  };

  it.each([1, 33, 20_000, 90_000])('of %i rows are exact in every reader', async (count) => {
    const isNullable = (name: string) =>
      tableColumns.file_flow.find((column) => column.name === name)?.nullable === true;
    const values = (index: number): Row =>
      Object.fromEntries(
        Object.entries(columns).map(([name, value]) => [
          name,
          (index + name.length) % 11 === 0 && isNullable(name) ? null : value(index),
        ]),
      );
    const all = Array.from(
      { length: count },
      (_, index): Row => ({ idx: index, ...values(index) }),
    );
    const batches = [];
    for (let at = 0; at < count; at += 9000)
      batches.push(batch('file_flow', all.slice(at, at + 9000)));
    const file = await parquetOf('file_flow', batches);
    const names = Object.keys(columns);
    const read = await parquetReadObjects({ file, compressors, columns: names });
    const wrong = (rows: readonly Record<string, unknown>[]) =>
      rows.findIndex((row, index) =>
        names.some(
          (name) => String(row[name] ?? null) !== String((all[index] as Row)[name] ?? null),
        ),
      );
    expect([read.length, wrong(read)]).toEqual([count, -1]);
    await inDirectory(async (directory) => {
      const path = join(directory, 'a.parquet');
      writeFileSync(path, Buffer.from(file));
      const database = await openDatabase();
      const result = await database.connection.runAndReadAll(
        `SELECT ${names.join(', ')} FROM '${path}'`,
      );
      database.close();
      const rows = result.getRowObjects();
      expect([rows.length, wrong(rows)]).toEqual([count, -1]);
    });
  });
});

it('says in statistics which values a column has', async () => {
  const row = (index: number): Row => ({
    idx: index,
    type: 'FF',
    ts_uts: 1_600_000_000_000_000_000n + BigInt(index),
    proc_exe: index % 2 === 0 ? `/bin/${index}` : null,
    proc_tty: index === 3,
    file_fd: -index,
    ...(index === 7 ? { proc_args: 'z'.repeat(300) } : {}),
  });
  const rows = Array.from({ length: 10 }, (_, index) => row(index));
  const file = await parquetOf('file_flow', [batch('file_flow', rows)]);
  const statistics = (name: string) => {
    const { schema, row_groups } = parquetMetadata(file);
    expect(schema.length).toBeGreaterThan(0);
    const chunk = row_groups[0]?.columns.find(
      ({ meta_data }) => meta_data?.path_in_schema.join('.') === name,
    );
    const { null_count, min_value, max_value } = chunk?.meta_data?.statistics ?? {};
    return [null_count, min_value, max_value];
  };
  expect(statistics('idx')).toEqual([0n, 0n, 9n]);
  expect(statistics('proc_exe')).toEqual([5n, '/bin/0', '/bin/8']);
  expect(statistics('proc_tty')).toEqual([0n, false, true]);
  expect(statistics('file_fd')).toEqual([0n, -9, 0]);
  expect(statistics('proc_args')).toEqual([9n, undefined, undefined]);
  expect(statistics('container_id')).toEqual([10n, undefined, undefined]);
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
