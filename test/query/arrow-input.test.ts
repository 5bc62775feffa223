import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Dictionary,
  Field,
  Int32,
  Int64,
  List,
  makeData,
  Table,
  tableFromArrays,
  tableToIPC,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/duckdb/database.js';
import { SfkitError } from '../../src/engine/errors.js';
import { loadArrow } from '../../src/query/arrow-input.js';
import { arrowBytes, arrowOf, batchOf, everyType, places, texts } from '../helpers/arrow-inputs.js';

let directory: string;
let database: Awaited<ReturnType<typeof openDatabase>>;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-arrow-'));
  database = await openDatabase();
});
afterAll(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

async function rows(bytes: Uint8Array, columns = '*'): Promise<unknown[][]> {
  const path = join(directory, 'header.arrow');
  writeFileSync(path, bytes);
  await database.connection.run('DROP TABLE IF EXISTS sfkit_input.t').catch(() => {});
  const { from } = await loadArrow(database.connection, path, 't', 'header', () => true);
  return (await database.connection.runAndReadAll(`SELECT ${columns} FROM ${from}`)).getRows();
}

it('reads files and streams with additional columns', async () => {
  const table = tableFromArrays({ node_id: ['a', 'b', 'a'], extra: Int32Array.of(1, 2, 3) });
  for (const form of ['file', 'stream'] as const) {
    expect(await rows(tableToIPC(table, form))).toEqual([
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ]);
  }
});

it.each([
  ['stream', undefined],
  ['file', undefined],
  ['stream', 'lz4'],
  ['file', 'zstd'],
] as const)('reads every type, %s %s', async (form, codec) => {
  const types = everyType();
  const columns = Object.fromEntries(
    Object.entries(types).map(([name, [column]]) => [name, column]),
  );
  const found = await rows(arrowOf(columns, { form, codec }), 'CAST(COLUMNS(*) AS VARCHAR)');
  const names = Object.keys(types);
  for (const [index, name] of names.entries()) {
    expect([name, ...found.map((row) => row[index])]).toEqual([name, ...(types[name]?.[1] ?? [])]);
  }
});

it('reads streams from before version 0.15', async () => {
  const columns = { a: vectorFromArray([1n, -1n], new Int64()), b: texts(['x', 'y'], 1) };
  expect(await rows(arrowBytes([batchOf(columns)], { legacy: true }))).toEqual([
    [1n, 'x'],
    [-1n, 'y'],
  ]);
});

describe.each([undefined, 'lz4', 'zstd'] as const)('dictionaries, compressed: %s', (codec) => {
  it('applies to later batches, also if it replaces another', async () => {
    const versions = [['a', 'b'], ['c'], ['b', 'x', null, 'a'], ['y']];
    const bytes = arrowBytes(
      versions.map((values) => batchOf({ text: texts(values, 1), same: texts(values, 2) })),
      { codec },
    );
    expect(await rows(bytes)).toEqual(versions.flat().map((text) => [text, text]));
  });

  it('can follow a batch with only nulls', async () => {
    const batches = [
      [null, null],
      ['a', null],
    ].map((values) => batchOf({ text: texts(values, 1) }));
    expect(await rows(arrowBytes(batches, { codec }))).toEqual([[null], [null], ['a'], [null]]);
  });

  it('grows by parts', async () => {
    const all = vectorFromArray(['a', 'b', 'c', 'd', 'e'], new Utf8());
    const parts = [all.slice(0, 2), all.slice(0, 2).concat(all.slice(2, 5))];
    const batches = parts.map((dictionary, index) =>
      batchOf({ text: places(dictionary.memoize(), Int32Array.of(index, dictionary.length - 1)) }),
    );
    expect(await rows(arrowBytes(batches, { codec }))).toEqual([['a'], ['b'], ['b'], ['e']]);
  });
});

it.each([[1, 255, 256, 257, 65_535, 65_536, 65_537]].flat())(
  'reads %i distinct texts, in a dictionary and without',
  async (count) => {
    const name = (index: number) => `text ${String(index).padStart(6, '0')}`;
    // The first and the last index of the dictionary come last.
    const values = Array.from({ length: count }, (_, index) => name((index + 7) % count));
    const columns = {
      id: vectorFromArray(
        values.map((_, index) => index),
        new Int32(),
      ),
      plain: vectorFromArray([...values], new Utf8()),
      member: texts(values, 1),
      other: vectorFromArray([...values], new Dictionary(new Utf8(), new Int32(), 2)),
    };
    const sql = ['plain', 'member', 'other'].map(
      (column) => `count(DISTINCT ${column}), min(${column}), max(${column})`,
    );
    const same = 'count(*) FILTER (plain = member AND plain = other), any_value(typeof(member))';
    const want = [BigInt(count), name(0), name(count - 1)];
    for (const form of ['file', 'stream'] as const) {
      expect(await rows(arrowOf(columns, { form }), [...sql, same].join(', '))).toEqual([
        [...want, ...want, ...want, BigInt(count), 'VARCHAR'],
      ]);
    }
  },
  60_000,
);

it('orders and compares texts of a dictionary as texts', async () => {
  const bytes = arrowOf({
    text: texts(['b', 'a', null, 'c', 'a\0b', '\u{10ffff}'], 1),
    more: texts([...'zyxzyx'], 2),
  });
  expect(await rows(bytes, "text, text < 'b'")).toEqual([
    ['b', false],
    ['a', true],
    [null, null],
    ['c', false],
    ['a\0b', true],
    ['\u{10ffff}', false],
  ]);
  expect(await rows(bytes, 'min(text), max(text), min(more)')).toEqual([['a', '\u{10ffff}', 'x']]);
});

it('reads a text that many rows share once', async () => {
  const dictionary = vectorFromArray(['x'.repeat(1_000_000), 'y'], new Utf8()).memoize();
  const bytes = arrowOf({ text: places(dictionary, new Int32Array(3000)) });
  const before = process.memoryUsage.rss();
  expect(await rows(bytes, 'count(*), max(length(text))')).toEqual([[3000n, 1_000_000n]]);
  expect(process.memoryUsage.rss() - before).toBeLessThan(400e6);
});

it('reads rows of any size', async () => {
  const sizes = [0, 20_000_000, 1, 5_000_000, 17_000_000, 3];
  const bytes = arrowOf({
    text: vectorFromArray(
      sizes.map((size) => 'z'.repeat(size)),
      new Utf8(),
    ),
  });
  expect(await rows(bytes, 'length(text)')).toEqual(sizes.map((size) => [BigInt(size)]));
});

it('rejects lists that start before their values', async () => {
  const type = new List(new Field('item', new Int32(), false));
  const child = makeData({ type: new Int32(), length: 1, data: Int32Array.of(7) });
  const valueOffsets = Int32Array.of(-16_777_216, 1);
  const data = makeData({ type, length: 1, nullCount: 0, valueOffsets, child });
  const bytes = tableToIPC(new Table({ x: new Vector([data]) }), 'stream');
  await expect(rows(bytes)).rejects.toThrow(/not a readable Arrow file: /);
});

it('reads or rejects a small file with any byte changed', async () => {
  const bytes = tableToIPC(tableFromArrays({ node_id: ['a', 'b'] }), 'stream');
  for (let place = 0; place < bytes.length; place += 3) {
    const changed = Uint8Array.from(bytes);
    changed[place] = 0xff;
    await rows(changed).catch((error) => expect(error).toBeInstanceOf(SfkitError));
  }
}, 60_000);
