import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/duckdb/database.js';
import { quoteText } from '../../src/duckdb/sql-text.js';
import { lz4Decompress } from '../../src/query/lz4.js';
import { zstdDecompress } from '../../src/query/zstd.js';
import {
  lz4Compress,
  lz4Frame,
  random,
  zstdBlock,
  zstdCompress,
  zstdFrame,
} from '../helpers/compressed.js';
import { fixtures, root } from '../helpers/corpus.js';
import { inDirectory } from '../helpers/table-files.js';

const letters = random(7);
const noise = (bytes: number) => Uint8Array.from({ length: bytes }, () => letters(256));

const texts = {
  'source code': readFileSync(join(root, 'src/query/zstd.ts'), 'utf8').split('\n'),
  'a capture': readFileSync(join(fixtures, 'webserver.scap'), 'latin1').match(
    /.{1,1000}/gs,
  ) as string[],
  noise: Array.from({ length: 400 }, () => Buffer.from(noise(500)).toString('latin1')),
  'long repeats': Array.from(
    { length: 3000 },
    (_, row) => `${'ab'.repeat(300)}${row % 7}${'c'.repeat(row % 400)}`,
  ),
  'few letters': Array.from({ length: 2000 }, () =>
    Array.from({ length: 60 }, () => 'abcd'[letters(4)]).join(''),
  ),
};

const codecs = {
  zstd: { levels: ['1', '3', '12', '19'], decompress: zstdDecompress },
  lz4_raw: {
    levels: [undefined],
    decompress: (block: Uint8Array, size: number) => lz4Decompress(lz4Frame(block), size),
  },
};
type Codec = keyof typeof codecs;

/**
 * A text as compressed by real compressors (pages of a Parquet file from DuckDB), and its bytes.
 */
async function pagesOf(text: readonly string[], codec: Codec, level?: string) {
  const lines = text.map((line) => line.replaceAll('\0', '0'));
  const pages: { page: Uint8Array; size: number }[] = [];
  const rows = await inDirectory(async (directory) => {
    const path = join(directory, 'text.parquet');
    const database = await openDatabase();
    const list = lines.map(quoteText).join(', ');
    const options = `FORMAT parquet, COMPRESSION ${codec}${level === undefined ? '' : `, COMPRESSION_LEVEL ${level}`}`;
    await database.connection.run(
      `COPY (SELECT unnest([${list}]) AS line) TO ${quoteText(path)} (${options})`,
    );
    database.close();
    const read = (page: Uint8Array, size: number) => {
      pages.push({ page: Uint8Array.from(page), size });
      return codecs[codec].decompress(page, size);
    };
    const file = Uint8Array.from(readFileSync(path)).buffer;
    return parquetReadObjects({ file, compressors: { ZSTD: read, LZ4_RAW: read } });
  });
  expect(rows.map(({ line }) => line)).toEqual(lines);
  return pages;
}

describe.each(Object.entries(texts))('%s', (_, text) => {
  it.each(
    Object.entries(codecs).flatMap(([codec, { levels }]) =>
      levels.map((level) => [codec as Codec, level] as const),
    ),
  )('comes out of %s, level %s, as it went in', async (codec, level) => {
    expect((await pagesOf(text, codec, level)).length).toBeGreaterThan(0);
  });
});

it.each([
  ['LZ4', lz4Compress, lz4Decompress],
  ['zstd', zstdCompress, zstdDecompress],
] as const)('%s holds buffers of every size', (_, compress, decompress) => {
  for (const size of [0, 1, 12, 13, 14, 100, 255, 256, 65_535, 65_536, 200_000]) {
    for (const bytes of [
      new Uint8Array(size),
      noise(size),
      Uint8Array.from({ length: size }, (_, at) => at % 100),
    ]) {
      expect(Buffer.from(decompress(compress(bytes), size)).equals(bytes)).toBe(true);
    }
  }
});

it.each(['zstd', 'lz4_raw'] as const)(
  '%s: a page with any byte changed is read or rejected',
  async (codec) => {
    const changes = random(11);
    const { decompress } = codecs[codec];
    let refused = 0;
    const start = process.cpuUsage();
    for (const text of [
      texts['source code'].slice(0, 60),
      texts['few letters'].slice(0, 60),
      texts.noise.slice(0, 2),
    ]) {
      for (const { page, size } of await pagesOf(text, codec)) {
        for (let at = 0; at < page.length; at++) {
          for (const value of [0, 255, (page[at] as number) ^ (1 << changes(8))]) {
            const changed = Uint8Array.from(page);
            changed[at] = value;
            try {
              expect(decompress(changed, size).length).toBe(size);
            } catch (error) {
              expect((error as Error).message).toMatch(/^(zstd|LZ4): [a-z0-9]/);
              refused += 1;
            }
          }
        }
      }
    }
    expect(refused).toBeGreaterThan(100);
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1e6).toBeLessThan(30);
  },
);

const eight = zstdBlock('raw', Buffer.from('12345678'));
/**
 * No literals; the maximum number of sequences, each with code 52 (65,539 bytes and more), followed
 * by their bits.
 */
const sequences = (bits: Uint8Array) =>
  zstdBlock('compressed', Buffer.concat([Uint8Array.of(0, 255, 255, 255, 0x54, 0, 0, 52), bits]));

it.each<[string, RegExp, () => Uint8Array, number]>([
  [
    'sequences without bits',
    /zstd: sequences are truncated/,
    () => zstdFrame([eight, sequences(Uint8Array.of(1))]),
    1e6,
  ],
  [
    'sequences that make 6 GB',
    /zstd: more bytes than were announced/,
    () => zstdFrame([eight, sequences(new Uint8Array(100_000).fill(1))]),
    1e6,
  ],
  [
    'a hundred blocks of 2 MB',
    /zstd: more bytes than were announced/,
    () =>
      zstdFrame(
        Array.from({ length: 100 }, () => zstdBlock('repeated', Uint8Array.of(7), 2 ** 21 - 1)),
      ),
    1e6,
  ],
  ['less than announced', /zstd: expected 9 bytes, found 8/, () => zstdFrame([eight]), 9],
  ['less than the frame says', /zstd: 8 bytes in a frame of 9/, () => zstdFrame([eight], 9), 8],
  ['a frame without blocks', /zstd: the frame is truncated/, () => zstdFrame([], 0), 0],
  [
    'a thousand frames of eight bytes',
    /zstd: more bytes than/,
    () => Buffer.concat(Array(1000).fill(zstdFrame([eight], 8))),
    800,
  ],
  [
    'bytes after a frame',
    /zstd: the frame is truncated/,
    () => Buffer.concat([zstdFrame([eight]), Buffer.of(1)]),
    8,
  ],
  [
    'matches that make 4 GB',
    /LZ4: more bytes than were announced/,
    () =>
      lz4Frame(
        Buffer.concat([
          Uint8Array.of(0x1f, 65, 1, 0),
          new Uint8Array(2 ** 24).fill(255),
          Uint8Array.of(0),
        ]),
      ),
    1e6,
  ],
  [
    'stored blocks past the end',
    /LZ4: more bytes/,
    () => lz4Frame(...Array(10).fill({ stored: new Uint8Array(9) })),
    89,
  ],
  [
    'a block that is too short',
    /LZ4: expected 4 bytes, found 3/,
    () => lz4Frame({ stored: new Uint8Array(3) }),
    4,
  ],
  [
    'an offset of 0',
    /LZ4: an offset points/,
    () => lz4Frame(Uint8Array.of(0x10, 65, 0, 0, 0x10, 65)),
    9,
  ],
  [
    'an offset before the start',
    /LZ4: an offset points/,
    () => lz4Frame(Uint8Array.of(0x10, 65, 2, 0, 0x10, 65)),
    9,
  ],
  [
    'the magic number alone',
    /LZ4: the frame is truncated/,
    () => Uint8Array.of(0x04, 0x22, 0x4d, 0x18),
    0,
  ],
])('rejects %s', (_, reason, make, size) => {
  const frame = make();
  const start = process.cpuUsage();
  const decompress = reason.source.startsWith('zstd') ? zstdDecompress : lz4Decompress;
  expect(() => decompress(frame, size)).toThrow(reason);
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1e6).toBeLessThan(5);
});

it('zstd skips skippable frames', () => {
  const skipped = Uint8Array.of(0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
  const frames = Buffer.concat([skipped, zstdFrame([eight]), skipped, zstdFrame([eight], 8)]);
  expect(Buffer.from(zstdDecompress(frames, 16)).toString()).toBe('1234567812345678');
});
