import { parquetMetadata } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import type { ColumnBatch } from '../../src/engine/batch.js';
import { batch, type Row } from '../helpers/batches.js';
import { forms, parquetOf, queried, written } from '../helpers/table-files.js';

/** Rows of the table `file`, in batches of the engine's size. */
function* files(rows: readonly Row[], batchRows = 8192): Generator<ColumnBatch> {
  for (let start = 0; start < rows.length; start += batchRows)
    yield batch('file', rows.slice(start, start + batchRows));
}

const around = (borders: readonly number[]) =>
  borders.flatMap((border) => [border - 1, border, border + 1]);
const numbered = (count: number, row: (index: number) => Row) =>
  Array.from({ length: count }, (_, index) => row(index));

/** Enough different texts to outgrow a dictionary. */
const outgrowing: Row[] = numbered(700, (index) => ({ file_path: `${index}`.padStart(1000, 'x') }));

describe.each(forms)('%s', (form) => {
  it.each([1, ...around([256, 65_536])])('keeps %i distinct strings', async (count) => {
    const rows = numbered(count, (index) => ({ ts_uts: index, file_path: `${index}` }));
    const { file_path, ts_uts } = await written(form, 'file', files(rows), ['file_path', 'ts_uts']);
    expect(file_path).toEqual(rows.map((row) => row.file_path));
    expect(ts_uts).toEqual(rows.map((row) => BigInt(Number(row.ts_uts))));
  });

  it.each(around([8, 64, 2048, 20_480, 65_536]))(
    'keeps %i rows of one batch, with missing values',
    async (count) => {
      const rows = numbered(count, (index) => ({
        ts_uts: index,
        file_type: index % 3 === 0 ? null : `${index % 7}`,
        state: index === count - 1 ? null : 'CREATED',
      }));
      const columns = ['ts_uts', 'file_type', 'state'];
      const read = await written(form, 'file', files(rows, count), columns);
      expect(read.ts_uts).toEqual(rows.map((row) => BigInt(Number(row.ts_uts))));
      expect(read.file_type).toEqual(rows.map((row) => row.file_type));
      expect(read.state).toEqual(rows.map((row) => row.state));
    },
  );

  it.each([
    ['with a dictionary', []],
    ['without one', outgrowing],
  ])('keeps strings of every length in a column %s', async (_, before) => {
    // DuckDB inlines strings of up to 12 bytes.
    const lengths = [0, 1, ...around([4, 12, 128, 256, 4096, 65_536]), 1_000_001];
    const rows = [
      ...before,
      ...lengths.flatMap((length) => [{ file_path: 'y'.repeat(length) }, { file_path: null }]),
    ];
    const { file_path } = await written(form, 'file', files(rows), ['file_path']);
    expect(file_path?.map((text) => (text as string | null)?.length)).toEqual(
      rows.map((row) => (row.file_path as string | null)?.length),
    );
    expect(file_path).toEqual(rows.map((row) => row.file_path));
  });

  it('keeps rows before and after a column outgrows its dictionary, also in the middle of a batch', async () => {
    const short = numbered(3000, (index) => ({
      file_path: index % 5 === 0 ? null : `${index % 100}`,
    }));
    const rows: Row[] = [
      ...short,
      ...outgrowing,
      ...short,
      { file_path: 'NUL \0 in \u{10ffff}0' },
      ...outgrowing,
    ];
    for (const batchRows of [1000, 3100]) {
      const { file_path } = await written(form, 'file', files(rows, batchRows), ['file_path']);
      expect(file_path).toEqual(rows.map((row) => row.file_path));
    }
  });

  it('keeps NUL and its replacement character in a column with a dictionary', async () => {
    const texts = ['\0', 'a\0b', 'a\ufffdb', 'a', '', '\u{10ffff}0', '\u{10ffff}1', '\u{10ffff}\0'];
    const rows = texts.map((text) => ({ file_path: text, file_name: text.replaceAll('\0', '0') }));
    const read = await written(form, 'file', files(rows), ['file_path', 'file_name']);
    expect(read.file_path).toEqual(texts);
    expect(read.file_name).toEqual(rows.map((row) => row.file_name));
  });

  it('keeps 300,000 rows in their order', async () => {
    const rows = numbered(300_000, (index) => ({ ts_uts: index, file_path: `${index % 70_000}` }));
    const { ts_uts, file_path } = await written(form, 'file', files(rows), ['ts_uts', 'file_path']);
    expect(ts_uts?.findIndex((value, index) => value !== BigInt(index))).toBe(-1);
    expect(file_path?.findIndex((value, index) => value !== `${index % 70_000}`)).toBe(-1);
    expect(ts_uts?.length).toBe(rows.length);
  }, 60_000);
});

it('limits row groups of Parquet by their bytes', async () => {
  const rows = numbered(100, (index) => ({
    ts_uts: index,
    file_path: `${index}`.padEnd(1_000_000, 'z'),
  }));
  const file = await parquetOf('file', files(rows, 20));
  const groups = parquetMetadata(file).row_groups.map((group) => Number(group.num_rows));
  expect(Math.max(...groups)).toBeLessThanOrEqual(32);
  expect(groups.reduce((sum, count) => sum + count, 0)).toBe(100);
});

it('does not repeat a text that rows share, wherever rows are stored', async () => {
  const text = 'env'.repeat(300_000);
  const repeated = () =>
    files(
      numbered(4000, (index) => ({ ts_uts: index, file_path: text })),
      500,
    );
  const before = process.memoryUsage.rss();
  const [row] = await queried(
    'file',
    repeated(),
    'SELECT count(*) AS n, max(length(file_path)) AS longest FROM rows',
  );
  expect(row).toEqual({ n: 4000n, longest: 900_000n });
  // Repeated in each row, it would take 3.6 GB.
  expect(process.memoryUsage.rss() - before).toBeLessThan(400e6);
  expect((await parquetOf('file', repeated())).byteLength).toBeLessThan(1e6);
});

it('text is VARCHAR in queries, however it is stored', async () => {
  const rows: Row[] = numbered(1000, (index) => ({
    file_path: `/lib/${index % 10}`,
    file_name: 'a',
  }));
  const one = async (sql: string) =>
    Object.values((await queried('file', files(rows), sql))[0] as object)[0];
  expect(await one('SELECT DISTINCT typeof(file_path) FROM rows')).toBe('VARCHAR');
  expect(await one("SELECT column_type FROM (DESCRIBE rows) WHERE column_name = 'file_path'")).toBe(
    'VARCHAR',
  );
  expect(await one("SELECT count(*) FROM rows WHERE file_path = '/lib/3'")).toBe(100n);
  expect(await one("SELECT count(*) FROM rows WHERE file_path < '/lib/3'")).toBe(300n);
  expect(await one("SELECT count(*) FROM rows WHERE file_path = 'never seen'")).toBe(0n);
  expect(
    await one(
      "SELECT count(*) FROM rows WHERE file_path LIKE '%b/3' OR regexp_matches(file_path, '4$')",
    ),
  ).toBe(200n);
  expect(await one('SELECT max(file_path || file_name) FROM rows')).toBe('/lib/9a');
  expect(
    await one(
      "SELECT count(*) FROM rows WHERE file_path IN ('/lib/1', '/x') AND file_path <> file_name",
    ),
  ).toBe(100n);
});
