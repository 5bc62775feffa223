import { writeFileSync } from 'node:fs';
import {
  Binary,
  Bool,
  type Data,
  type DataType,
  Decimal,
  DenseUnion,
  DurationSecond,
  Field,
  Int8,
  Int32,
  LargeUtf8,
  List,
  Map_,
  makeData,
  Null,
  Struct,
  TimeMicrosecond,
  Utf8,
  Utf8View,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/duckdb/database.js';
import { SfkitError } from '../../src/engine/errors.js';
import { loadArrow } from '../../src/query/arrow-input.js';
import {
  arrowBytes,
  arrowOf,
  batchOf,
  column,
  everyType,
  places,
  replaced,
  texts,
} from '../helpers/arrow-inputs.js';
import { lz4Frame, random, zstdBlock, zstdFrame } from '../helpers/compressed.js';
import { testDirectory } from '../helpers/directory.js';

const directory = testDirectory();
let database: Awaited<ReturnType<typeof openDatabase>>;
beforeAll(async () => {
  database = await openDatabase({ threads: 1 });
});
afterAll(() => database.close());

/** The rows as text if the input is read, else its one-line error. */
async function answer(
  bytes: Uint8Array,
  columns = 'CAST(COLUMNS(*) AS VARCHAR)',
): Promise<unknown[][] | string> {
  const path = directory.path('x.arrow');
  writeFileSync(path, bytes);
  const { connection } = database;
  let from: string;
  try {
    await connection.run('DROP SCHEMA IF EXISTS sfkit_input CASCADE');
    from = (await loadArrow(connection, path, 't', undefined, () => true)).from;
  } catch (error) {
    expect(error).toBeInstanceOf(SfkitError);
    const { message } = error as Error;
    expect(message).toContain(`${path}: not a readable Arrow file: `);
    expect(message).not.toMatch(/\n|INTERNAL|undefined|not a function/);
    return message.slice(message.lastIndexOf('file: ') + 6);
  }
  try {
    return (await connection.runAndReadAll(`SELECT ${columns} FROM ${from}`)).getRows();
  } catch (error) {
    // Times that are not whole days are still times.
    expect((error as Error).message).toMatch(/^(Conversion|Out of Range) Error/);
    return (error as Error).message;
  }
}

/** CPU seconds of an action. */
async function secondsOf(action: () => Promise<unknown>): Promise<number> {
  const start = process.cpuUsage();
  await action();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

const types = Object.fromEntries(
  Object.entries(everyType()).map(([name, [values]]) => [name, values]),
);
const numbers = Array.from({ length: 100 }, (_, index) => index % 3);
const plain = {
  id: vectorFromArray(numbers, new Int32()),
  text: vectorFromArray(
    numbers.map((number) => (number === 0 ? null : 'text'.repeat(number))),
    new Utf8(),
  ),
};
const nested = Object.fromEntries(
  ['list', 'pair', 'record', 'map', 'nested', 'dense'].map((name) => [name, types[name] as Vector]),
);
const versions = [
  ['a', 'b'],
  ['c', null],
  ['a long text of a dictionary', 'd'],
].map((values) => batchOf({ text: texts(values, 1), more: texts(['x', 'y'], 2) }));

const inputs: Record<string, Uint8Array> = {
  'a stream': arrowOf(plain),
  'a file': arrowOf(plain, { form: 'file' }),
  'a stream with lz4': arrowOf(plain, { codec: 'lz4' }),
  'a file with zstd': arrowOf(plain, { form: 'file', codec: 'zstd' }),
  'nested types': arrowOf(nested),
  'nested types with lz4': arrowOf(nested, { codec: 'lz4' }),
  'dictionaries that replace others': arrowBytes(versions),
  'dictionaries that replace others, with zstd': arrowBytes(versions, { codec: 'zstd' }),
  'every type': arrowOf(types, { form: 'file' }),
};

/** Corrupts bytes: changes a byte or a number, or removes, repeats or moves a piece. */
function changed(bytes: Uint8Array, next: (limit: number) => number): Uint8Array {
  const copy = Buffer.from(bytes);
  const at = next(copy.length);
  switch (next(8)) {
    case 0:
      copy[at] = next(256);
      return copy;
    case 1:
      copy[at] = (copy[at] as number) ^ (1 << next(8));
      return copy;
    case 2:
    case 3: {
      const word = 4 * next(copy.length >> 2);
      const value = [0, -1, 1, 8, 0x7fffffff, -0x80000000, copy.length, copy.readInt32LE(word) + 1][
        next(8)
      ] as number;
      copy.writeInt32LE(value | 0, word);
      return copy;
    }
    case 4: {
      const word = 8 * next((copy.length >> 3) - 1);
      copy.writeBigInt64LE(
        [-1n, 2n ** 62n, 2n ** 31n, 2n ** 40n, -(2n ** 63n), 12_345_678n][next(6)] as bigint,
        word,
      );
      return copy;
    }
    case 5:
      return copy.subarray(0, at);
    case 6: {
      const piece = copy.subarray(at, at + 8 * next(20));
      return Buffer.concat([copy.subarray(0, at), piece, copy.subarray(at)]);
    }
    default:
      copy.copyWithin(next(copy.length), at, at + 8 * (1 + next(10)));
      return copy;
  }
}

/** Changes to each input. */
const trials = 100;

describe.each(Object.entries(inputs))('%s', (name, bytes) => {
  it('is read unchanged', async () => {
    expect(await answer(bytes)).toBeInstanceOf(Array);
  });

  it(`is read or rejected with any of ${trials} changes`, async () => {
    const next = random(name.length);
    const memory = process.resourceUsage().maxRSS;
    const counts = { read: 0, refused: 0 };
    for (let trial = 0; trial < trials; trial++) {
      const input = changed(bytes, next);
      const seconds = await secondsOf(async () => {
        counts[typeof (await answer(input)) === 'string' ? 'refused' : 'read'] += 1;
      });
      expect(seconds).toBeLessThan(5);
    }
    expect(counts.read).toBeGreaterThan(3);
    expect(counts.refused).toBeGreaterThan(3);
    // In KiB: buffers can grow to 64 MiB, whatever the file.
    expect(process.resourceUsage().maxRSS - memory).toBeLessThan(400_000);
  }, 120_000);
});

const lists = (offsets: readonly number[]) =>
  arrowOf({
    x: column(
      makeData({
        type: new List(new Field('item', new Int32())),
        length: offsets.length - 1,
        nullCount: 0,
        valueOffsets: Int32Array.from(offsets),
        child: makeData({ type: new Int32(), length: 3, data: Int32Array.of(1, 2, 3) }),
      }),
    ),
  });
/** Texts with overwritten offsets: the library writes no more bytes than the last offset. */
const words = (type: Utf8 | LargeUtf8, offsets: readonly number[]) => {
  const marks = offsets.map((_, index) => 1000 + index);
  marks[0] = 0;
  const valueOffsets =
    type instanceof Utf8 ? Int32Array.from(marks) : BigInt64Array.from(marks, BigInt);
  const data = {
    type,
    length: offsets.length - 1,
    nullCount: 0,
    valueOffsets,
    data: new Uint8Array(2000),
  };
  const bytes = Buffer.from(arrowOf({ x: column(makeData(data as never)) }));
  const at = bytes.indexOf(Buffer.from(valueOffsets.buffer));
  const wanted =
    type instanceof Utf8 ? Int32Array.from(offsets) : BigInt64Array.from(offsets, BigInt);
  bytes.set(Buffer.from(wanted.buffer), at);
  return bytes;
};
const fixed = (type: DataType, data: unknown, length = 1) =>
  arrowOf({ x: column(makeData({ type, length, nullCount: 0, data } as never)) });
const union = (typeIds: Int8Array, valueOffsets: Int32Array) => {
  const type = new DenseUnion([3, 4], [new Field('a', new Int32()), new Field('b', new Utf8())]);
  const children = [
    vectorFromArray([1], new Int32()).data[0],
    vectorFromArray(['x'], new Utf8()).data[0],
  ];
  return arrowOf({
    x: column(makeData({ type, length: typeIds.length, typeIds, valueOffsets, children } as never)),
  });
};
const view = (length: number, buffer: number, offset: number) => {
  const bytes = Buffer.alloc(16);
  for (const [index, value] of [length, 0, buffer, offset].entries())
    bytes.writeInt32LE(value, 4 * index);
  const data = {
    type: new Utf8View(),
    length: 1,
    views: bytes,
    variadicBuffers: [Buffer.from('a buffer of text')],
  };
  return arrowOf({ x: column(makeData(data as never)) });
};
const entries = (keys: (string | null)[]) => {
  const fields = [new Field('key', new Utf8()), new Field('value', new Int32())];
  const type = new Map_(new Field('entries', new Struct(fields) as never));
  const children = [
    vectorFromArray(keys, new Utf8()).data[0],
    vectorFromArray(
      keys.map(() => 1),
      new Int32(),
    ).data[0],
  ];
  const child = makeData({
    type: new Struct(fields),
    length: keys.length,
    nullCount: 0,
    children,
  } as never);
  const data = {
    type,
    length: 1,
    nullCount: 0,
    valueOffsets: Int32Array.of(0, keys.length),
    child,
  };
  return arrowOf({ x: column(makeData(data as never)) });
};
let deep: DataType = new Int32();
for (let level = 0; level < 20; level++) deep = new List(new Field('item', deep));
const words3 = vectorFromArray(['a', 'b', 'c'], new Utf8()).memoize();
const none = arrowOf({ x: column(makeData({ type: new Null(), length: 777 })) });

describe('an input that contradicts itself', () => {
  it.each<[string, RegExp, () => Uint8Array]>([
    [
      'an index past its dictionary',
      /an index points outside/,
      () => arrowOf({ x: places(words3, Int32Array.of(0, 3)) }),
    ],
    [
      'an index before its dictionary',
      /an index points outside/,
      () => arrowOf({ x: places(words3, Int8Array.of(-1)) }),
    ],
    [
      'an index past a dictionary of numbers',
      /an index points outside/,
      () =>
        arrowOf({
          x: places(vectorFromArray([7], new Int32()).memoize(), Int32Array.of(0x7fffffff)),
        }),
    ],
    [
      'a dictionary that no column has',
      /no column has the dictionary 5500/,
      () => {
        // The schema comes first and keeps its id.
        const bytes = arrowOf({ x: texts(['a'], 5501) });
        return Buffer.concat([bytes.subarray(0, 200), replaced(bytes.subarray(200), 5501, 5500)]);
      },
    ],
    [
      'lists that go back',
      /offsets of a column are impossible at row 2/,
      () => lists([0, 2, 1, 3]),
    ],
    [
      'lists past their values',
      /offsets of a column are impossible at row 1/,
      () => lists([0, 1000, 3]),
    ],
    [
      'lists before their values',
      /offsets of a column are impossible at row 1/,
      () => lists([0, -1, 3]),
    ],
    [
      'texts that go back',
      /offsets of a column are impossible at row 2/,
      () => words(new Utf8(), [0, 3, 1, 3]),
    ],
    [
      'texts past their bytes',
      /offsets of a column are impossible at row 1/,
      () => words(new Utf8(), [0, 5000]),
    ],
    [
      'texts before their bytes',
      /offsets of a column are impossible at row 0/,
      () => words(new Utf8(), [-1, 4]),
    ],
    [
      'long texts past their bytes',
      /impossible at row 1/,
      () => words(new LargeUtf8(), [0, 2 ** 60]),
    ],
    ['long texts before their bytes', /impossible at row 0/, () => words(new LargeUtf8(), [-1, 4])],
    [
      'a union of an unknown kind',
      /a union points outside/,
      () => union(Int8Array.of(5), Int32Array.of(0)),
    ],
    [
      'a union past its members',
      /a union points outside/,
      () => union(Int8Array.of(3, 4), Int32Array.of(0, 1)),
    ],
    [
      'a union before its members',
      /a union points outside/,
      () => union(Int8Array.of(3), Int32Array.of(-1)),
    ],
    ['a view past its buffer', /a view points outside/, () => view(14, 0, 3)],
    ['a view before its buffer', /a view points outside/, () => view(14, 0, -1)],
    ['a view into no buffer', /a view points outside/, () => view(14, 1, 0)],
    ['a view of negative length', /a view points outside/, () => view(-1, 0, 0)],
    ['a map with a null key', /a map has a null key/, () => entries(['a', null])],
    [
      'a time longer than a day',
      /a time of day is impossible/,
      () => fixed(new TimeMicrosecond(), BigInt64Array.of(86_400_000_001n)),
    ],
    [
      'a time before its day',
      /a time of day is impossible/,
      () => fixed(new TimeMicrosecond(), BigInt64Array.of(-1n)),
    ],
    [
      'a duration without end',
      /a duration is impossible/,
      () => fixed(new DurationSecond(), BigInt64Array.of(2n ** 62n)),
    ],
    [
      'a number with more digits than its type',
      /more than 5 digits/,
      () => fixed(new Decimal(2, 5, 128), Uint32Array.of(100_000, 0, 0, 0)),
    ],
    [
      'the least number of 128 bits',
      /more than 38 digits/,
      () => fixed(new Decimal(0, 38, 128), Uint32Array.of(0, 0, 0, 1 << 31)),
    ],
    [
      'a negative number of rows',
      /its metadata has the impossible size/,
      () => replaced(none, 777, -2),
    ],
    ['-1 rows', /a batch has -1 rows/, () => replaced(none, 777, -1)],
    [
      'more rows than bytes',
      /rows, more than its bytes can hold/,
      () => replaced(none, 777, 2 ** 40),
    ],
    [
      '20 levels of lists',
      /nested more than 16 deep/,
      () => arrowOf({ x: vectorFromArray([null], deep) as never }),
    ],
    [
      '5000 columns',
      /more than 4096 columns/,
      () =>
        arrowOf(
          Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`c${index}`, plain.id])),
        ),
    ],
    ['no columns', /it has no columns/, () => arrowOf({})],
    [
      'nothing after the schema of a file',
      /its footer is missing/,
      () => arrowOf(plain, { form: 'file' }).subarray(0, 300),
    ],
    ['half a message', /is longer than the file/, () => arrowOf(plain).subarray(0, -300)],
  ])('%s', async (_, reason, make) => {
    expect(await answer(make())).toMatch(reason);
  });

  it('is read if no row refers to a value', async () => {
    const empty = { type: new Utf8(), length: 0, nullCount: 0 };
    expect(await answer(arrowOf({ x: column(makeData(empty)) }))).toEqual([]);
    const noWords = vectorFromArray([] as string[], new Utf8()).memoize();
    expect(await answer(arrowOf({ x: places(noWords, new Int32Array(0)) }))).toEqual([]);
  });
});

/** A buffer as in a message: the claimed size, then the content. */
function claims(size: number | bigint, frame: Uint8Array): Uint8Array {
  const head = Buffer.alloc(8);
  head.writeBigInt64LE(BigInt(size));
  return Buffer.concat([head, frame]);
}

/** A stream with one column of bytes, whose buffer of noise is replaced by these bytes. */
function bomb(codec: 'lz4' | 'zstd', rows: number, values: Uint8Array): Uint8Array {
  const noise = random(3);
  const bytes = Uint8Array.from({ length: 8 * Math.ceil(values.length / 8) + 8 }, () => noise(256));
  const whole = Buffer.from(
    arrowOf({ x: fixedColumn(new Int8(), bytes, bytes.length) }, { codec }),
  );
  const at = whole.indexOf(bytes) - 8;
  whole.fill(0, at, at + 8 + bytes.length);
  whole.set(values, at);
  return replaced(replaced(whole, bytes.length, rows), bytes.length + 8, values.length);
}

const zeros = (bytes: number) =>
  zstdFrame(
    Array.from({ length: Math.ceil(bytes / 2 ** 20) }, (_, index) =>
      zstdBlock('repeated', Uint8Array.of(0), Math.min(2 ** 20, bytes - index * 2 ** 20)),
    ),
  );
const lz4Zeros = (bytes: number) =>
  lz4Frame(
    Buffer.concat([
      Uint8Array.of(0x1f, 0, 1, 0),
      new Uint8Array(Math.floor((bytes - 20) / 255)).fill(255),
      Uint8Array.of((bytes - 20) % 255, 0),
    ]),
  );

describe('an input that claims more than it has', () => {
  it.each<[string, RegExp, () => Uint8Array]>([
    [
      'a terabyte of zstd',
      /hold more than 256 times/,
      () => bomb('zstd', 2 ** 40, claims(2 ** 40, zeros(1000))),
    ],
    [
      'a terabyte of lz4',
      /hold more than 256 times/,
      () => bomb('lz4', 2 ** 40, claims(2 ** 40, lz4Zeros(1000))),
    ],
    [
      'the largest possible size',
      /hold more than 256 times/,
      () => bomb('zstd', 1, claims(2n ** 63n - 1n, zeros(1000))),
    ],
    ['a negative size', /impossible size/, () => bomb('lz4', 1, claims(-2, lz4Zeros(1000)))],
    [
      '60 MB, but only 1000 bytes',
      /zstd: expected 60000000 bytes, found 1000/,
      () => bomb('zstd', 1000, claims(60e6, zeros(1000))),
    ],
    [
      '1000 bytes, but 60 MB',
      /zstd: more bytes/,
      () => bomb('zstd', 1000, claims(1000, zeros(60e6))),
    ],
    [
      '1000 bytes, but 1 MB',
      /LZ4: more bytes/,
      () => bomb('lz4', 1000, claims(1000, lz4Zeros(1e6))),
    ],
    [
      '60 million values of 60 bytes',
      /more values than the size/,
      () => bomb('zstd', 60e6, claims(60e6, zeros(60e6))),
    ],
  ])('%s', async (_, reason, make) => {
    const bytes = make();
    const memory = process.resourceUsage().maxRSS;
    let found: unknown;
    expect(await secondsOf(async () => (found = await answer(bytes, 'count(*)')))).toBeLessThan(10);
    expect(found).toMatch(reason);
    expect(process.resourceUsage().maxRSS - memory).toBeLessThan(400_000);
  });

  it('is read if the claim is still plausible', async () => {
    expect(await answer(bomb('zstd', 1e6, claims(1e6, zeros(1e6))), 'count(*), sum(x)')).toEqual([
      [1_000_000n, 0n],
    ]);
    expect(await answer(bomb('lz4', 1e6, claims(1e6, lz4Zeros(1e6))), 'count(*), sum(x)')).toEqual([
      [1_000_000n, 0n],
    ]);
  });
});

/** A stream whose dictionary grows by a text with each batch. */
function parts(count: number): Uint8Array {
  const data: Data[] = [];
  const batches = Array.from({ length: count }, (_, index) => {
    data.push(vectorFromArray([`text ${index}`], new Utf8()).data[0] as Data);
    return batchOf({ x: places(new Vector([...data]), Int32Array.of(index)) });
  });
  return arrowBytes(batches);
}

describe('an input of few bytes', () => {
  const many = 100_000;
  const bytes = makeData({ type: new Int8(), length: many, data: new Int8Array(many) });
  const oneList = column(
    makeData({
      type: new List(new Field('item', new Int8())),
      length: 1,
      nullCount: 0,
      valueOffsets: Int32Array.of(0, many),
      child: bytes,
    }),
  );
  const oneText = vectorFromArray(['x'.repeat(many)], new Utf8()).data[0];
  it.each<[string, RegExp | unknown[][], () => Uint8Array]>([
    [
      '4000 columns with 100,000 rows of nothing',
      /more values than the size/,
      () => {
        const nothing = column(makeData({ type: new Null(), length: many }));
        const columns = Array.from({ length: 4000 }, (_, index) => [`c${index}`, nothing]);
        return arrowOf({
          ...Object.fromEntries(columns),
          bits: fixedColumn(new Bool(), new Uint8Array(many / 8), many),
        });
      },
    ],
    [
      'a list of 100,000 numbers in each of 100,000 rows',
      /repeat values more often/,
      () => arrowOf({ x: places(oneList.memoize(), new Int8Array(many)) }),
    ],
    [
      'the same 100,000 bytes in each of 100,000 rows',
      /repeat values more often/,
      () => {
        const blob = vectorFromArray([new Uint8Array(many)], new Binary());
        return arrowOf({ x: places(blob.memoize(), new Int8Array(many)) });
      },
    ],
    [
      'a union of one text in each of 100,000 rows',
      /repeat values more often/,
      () => {
        const type = new DenseUnion([0], [new Field('a', new Utf8())]);
        const [typeIds, valueOffsets] = [new Int8Array(many), new Int32Array(many)];
        return arrowOf({
          x: column(
            makeData({ type, length: many, typeIds, valueOffsets, children: [oneText] } as never),
          ),
        });
      },
    ],
    [
      'one batch per row, with a dictionary of 60,000 texts',
      [[2000n]],
      () => {
        const dictionary = vectorFromArray(
          Array.from({ length: 60_000 }, (_, index) => `text ${index}`),
          new Utf8(),
        );
        const batch = batchOf({ x: places(dictionary.memoize(), Int32Array.of(59_999)) });
        return arrowBytes(Array(2000).fill(batch));
      },
    ],
    ['a dictionary in 1000 parts, with a batch for each', [[1000n]], () => parts(1000)],
    ['a dictionary in 1100 parts', /comes in more than 1024 parts/, () => parts(1100)],
    [
      'a thousand batches, each with another dictionary',
      [[1000n]],
      () =>
        arrowBytes(
          Array.from({ length: 1000 }, (_, index) => batchOf({ x: texts([`text ${index}`], 1) })),
        ),
    ],
  ])('%s', async (_, expected, make) => {
    const bytes = make();
    const memory = process.resourceUsage().maxRSS;
    let found: unknown;
    expect(await secondsOf(async () => (found = await answer(bytes, 'count(*)')))).toBeLessThan(20);
    if (expected instanceof RegExp) expect(found).toMatch(expected);
    else expect(found).toEqual(expected);
    expect(process.resourceUsage().maxRSS - memory).toBeLessThan(800_000);
  });
});

function fixedColumn(type: DataType, data: unknown, length: number): Vector {
  return column(makeData({ type, length, nullCount: 0, data } as never));
}
