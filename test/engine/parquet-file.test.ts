import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { expect, it } from 'vitest';
import { loadAddon, type ParquetColumn } from '../../src/engine/addon.js';
import type { NativeColumn, NativeColumnBatch } from '../../src/engine/native.js';

const columns: ParquetColumn[] = [
  { name: 'number', kind: 'i64', source: 0, names: [] },
  { name: 'text', kind: 'str', source: 1, names: [] },
];

type Batch = Pick<NativeColumnBatch, 'rows' | 'strings' | 'columns'>;

function batchWith(changes: Partial<Batch> = {}, text: Partial<NativeColumn> = {}): Batch {
  return {
    rows: 3,
    strings: { offsets: Uint32Array.of(0, 0, 2), bytes: Buffer.from('ab') },
    columns: [
      { values: BigInt64Array.of(1n, 2n, 3n), valid: null },
      { values: Uint32Array.of(1, 0, 1), valid: Uint8Array.of(0b101), ...text },
    ],
    ...changes,
  };
}

const newFile = () =>
  new (loadAddon().ParquetFile)({ columns, metadata: [['a', 'b']], groupBytes: 1 << 20 });

it('returns a file in parts', async () => {
  const file = newFile();
  const parts = [file.append(batchWith()), file.append(batchWith()), file.finish()];
  const all = Uint8Array.from(Buffer.concat(parts)).buffer;
  expect(await parquetReadObjects({ file: all })).toEqual(
    [1n, 2n, 3n, 1n, 2n, 3n].map((number) => ({ number, text: number === 2n ? null : 'ab' })),
  );
  const { created_by, key_value_metadata } = parquetMetadata(all);
  expect(created_by).toBe(`sfkit version ${loadAddon().version}`);
  expect(key_value_metadata).toEqual([{ key: 'a', value: 'b' }]);
});

it.each<[string, Batch]>([
  ['a number of no text', batchWith({}, { values: Uint32Array.of(1, 0, 2) })],
  ['too few values', batchWith({}, { values: Uint32Array.of(1, 0) })],
  ['too few bits', batchWith({}, { valid: new Uint8Array() })],
  ['values of another type', batchWith({}, { values: Int32Array.of(1, 0, 1) })],
  [
    'texts beyond their bytes',
    batchWith({ strings: { offsets: Uint32Array.of(0, 0, 3), bytes: Buffer.from('ab') } }),
  ],
  [
    'texts that end before they start',
    batchWith({ strings: { offsets: Uint32Array.of(0, 2, 1), bytes: Buffer.from('ab') } }),
  ],
  ['no texts', batchWith({ strings: { offsets: Uint32Array.of(0), bytes: new Uint8Array() } })],
  ['a column too few', batchWith({ columns: batchWith().columns.slice(0, 1) })],
])('refuses a batch with %s', (_, batch) => {
  expect(() => newFile().append(batch)).toThrow(TypeError);
});
