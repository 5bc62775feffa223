import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../../src/duckdb/database.js';
import type { CollectorOptions } from '../../../src/engine/config.js';
import { stateOf } from '../../../src/query/cache/content.js';
import { describeEntry, readDescription } from '../../../src/query/cache/entry-file.js';
import { CaptureCache } from '../../../src/query/cache/store.js';
import { openDataset } from '../../../src/query/dataset.js';
import { fixtures } from '../../helpers/corpus.js';

const large = 1e9;

let directory: string;
let place: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-cache-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

let count = 0;
beforeEach(() => {
  place = join(directory, `cache-${count++}`);
  mkdirSync(place, { mode: 0o700 });
});

/** A copy of a fixture. */
function capture(name = 'incident.scap', from = 'incident.scap'): string {
  const path = join(directory, name);
  copyFileSync(join(fixtures, from), path);
  return path;
}

interface AskOptions {
  cache?: CaptureCache | undefined;
  collector?: CollectorOptions;
}

async function ask(
  inputs: string | string[],
  sql: string,
  { cache = new CaptureCache(place, large), collector = {} }: AskOptions = {},
) {
  const dataset = await openDataset([inputs].flat(), sql, collector, { cache });
  try {
    const result = await dataset.connection.runAndReadAll(sql);
    return { rows: result.getRowsJson(), summaries: dataset.summaries };
  } finally {
    dataset.close();
  }
}

async function askWithout(
  inputs: string | string[],
  sql: string,
  collector: CollectorOptions = {},
) {
  const dataset = await openDataset([inputs].flat(), sql, collector);
  try {
    const result = await dataset.connection.runAndReadAll(sql);
    return { rows: result.getRowsJson(), summaries: dataset.summaries };
  } finally {
    dataset.close();
  }
}

const entries = () =>
  readdirSync(join(place, 'entries')).map((name) => join(place, 'entries', name));
const onlyEntry = () => {
  const [entry, ...more] = entries();
  expect(more).toEqual([]);
  return entry as string;
};

const programs = 'SELECT DISTINCT proc_exe FROM process ORDER BY 1';
const marked = [['from the cache']];

/** Changes the answer that an entry gives, as if that were what it was made of. */
async function mark(entry: string): Promise<void> {
  const { connection, close } = await openDatabase({ path: join(entry, 'tables.duckdb') });
  await connection.run(
    "UPDATE sfkit_storage.process_rows SET proc_exe = 'from the cache'; CHECKPOINT",
  );
  close();
  await describeEntry(entry, readDescription(entry));
}

/** SQL over every kind of table and column, in the order in which rows come. */
const everything = [
  'FROM sysflow',
  'FROM process',
  'FROM file',
  'FROM header',
  'FROM network_flow',
  "SELECT * FROM process_event WHERE list_contains(opflags, 'EXEC')",
  'FROM processes',
  'SELECT type, count FROM calls ORDER BY ALL',
  'SELECT p.*, s.idx FROM processes p JOIN sysflow s ON p.pid = s.proc_pid ORDER BY ALL',
  'SELECT * EXCLUDE (arguments) FROM events',
];

describe('a cached answer', () => {
  it.each(everything)('%s: is the same as without a cache', async (sql) => {
    const input = capture();
    const expected = await askWithout(input, sql);
    expect(expected.rows.length).toBeGreaterThan(0);
    expect(await ask(input, sql)).toEqual(expected);
    expect(await ask(input, sql)).toEqual(expected);
  });

  it('comes from the cache', async () => {
    const input = capture();
    await ask(input, programs);
    await mark(onlyEntry());
    expect((await ask(input, programs)).rows).toEqual(marked);
  });

  it('reports the same damage', async () => {
    const input = capture('cut.scap');
    truncateSync(input, 30_000);
    const expected = await askWithout(input, programs);
    expect(expected.summaries[0]?.summary.damage).toHaveLength(1);
    expect(await ask(input, programs)).toEqual(expected);
    await mark(onlyEntry());
    const cached = await ask(input, programs);
    expect(cached).toEqual({ rows: marked, summaries: expected.summaries });
  });

  it('covers several inputs, with their names', async () => {
    const inputs = [
      capture('a.scap'),
      capture('b.scap', 'webserver.scap'),
      join(directory, 'below', 'a.scap'),
    ];
    mkdirSync(join(directory, 'below'), { recursive: true });
    copyFileSync(inputs[0] as string, inputs[2] as string);
    const sql = 'SELECT filename, idx, type FROM sysflow';
    const expected = await askWithout(inputs, sql);
    expect(new Set(expected.rows.map(([filename]) => filename))).toEqual(
      new Set([inputs[0], 'b.scap', inputs[2]]),
    );
    expect(await ask(inputs, sql)).toEqual(expected);
    expect(await ask(inputs, sql)).toEqual(expected);
    // Equal captures share an entry.
    expect(entries()).toHaveLength(2);
  });

  it('of a copy has the name of the copy', async () => {
    const input = capture();
    await ask(input, programs);
    await mark(onlyEntry());
    const copy = join(directory, 'copy.scap');
    copyFileSync(input, copy);
    const { rows } = await ask(copy, 'SELECT DISTINCT filename FROM sysflow');
    expect(rows).toEqual([['copy.scap']]);
    expect((await ask(copy, programs)).rows).toEqual(marked);
    expect((await ask(copy, 'SELECT DISTINCT filename FROM processes')).rows).toEqual([
      ['copy.scap'],
    ]);
  });

  it('survives the end of its entry', async () => {
    const input = capture();
    const cache = new CaptureCache(place, large);
    await ask(input, programs, { cache });
    const dataset = await openDataset([input], programs, {}, { cache });
    expect(cache.clear().entries).toBe(1);
    expect(entries()).toEqual([]);
    const result = await dataset.connection.runAndReadAll('SELECT count(*) > 0 FROM sysflow');
    dataset.close();
    expect(result.getRows()).toEqual([[true]]);
  });
});

describe('an entry is not used', () => {
  it.each<[string, CollectorOptions]>([
    ['filter', { filter: 'proc.name = curl' }],
    ['exporter', { exporter: 'sensor-7' }],
    ['node', { nodeIp: '10.0.0.7' }],
    ['file read mode', { fileReadMode: 'all' }],
    ['files only', { fileOnly: false }],
    ['process flows', { processFlow: false }],
    ['containers only', { containersOnly: true }],
    ['mode', { mode: 'no-files' }],
    ['memory', { maxMemory: 32_000_000 }],
    ['compat', { compat: 'sysflow-0.7' }],
  ])('for another %s', async (_, collector) => {
    const input = capture();
    await ask(input, programs);
    await mark(onlyEntry());
    const answer = await ask(input, programs, { collector });
    expect(answer.rows).not.toEqual(marked);
    expect(answer).toEqual(await askWithout(input, programs, collector));
  });

  it('for other content of the same size and times', async () => {
    const input = capture();
    await ask(input, programs);
    await mark(onlyEntry());
    const { atime, mtime } = statSync(input);
    const bytes = readFileSync(input);
    // Another time of day in the last event: a change that damages nothing.
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 5) ^ 1, bytes.length - 5);
    writeFileSync(input, bytes);
    utimesSync(input, atime, mtime);
    expect((await ask(input, programs)).rows).not.toEqual(marked);
  });

  it('for a file that another replaced', async () => {
    const input = capture();
    await ask(input, programs);
    await mark(onlyEntry());
    renameSync(capture('other.scap', 'webserver.scap'), input);
    expect(await ask(input, programs)).toEqual(await askWithout(input, programs));
  });
});

describe('a file whose times can be trusted', () => {
  /** Later than the times of all files. */
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 }));
  afterEach(() => void vi.useRealTimers());

  const known = () => readdirSync(join(place, 'files')).map((name) => name.split('-'));

  it('is recognized by them', async () => {
    const input = capture();
    await ask(input, programs);
    await mark(onlyEntry());
    const content = createHash('sha256').update(readFileSync(input)).digest('hex');
    expect(known()).toEqual([[stateOf(input)?.stamp, content]]);
    // An entry of another content is used if the times say so: the file itself is not read.
    const other = 'f'.repeat(64);
    const [stamp] = known()[0] as [string, string];
    renameSync(
      join(place, 'files', `${stamp}-${content}`),
      join(place, 'files', `${stamp}-${other}`),
    );
    renameSync(onlyEntry(), onlyEntry().replace(content, other));
    expect((await ask(input, programs)).rows).toEqual(marked);
  });

  it('is not when it changed, even if its size and modification time are the same', async () => {
    const input = capture();
    await ask(input, programs);
    await mark(onlyEntry());
    const { atime, mtime } = statSync(input);
    const bytes = readFileSync(input);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 5) ^ 1, bytes.length - 5);
    writeFileSync(input, bytes);
    utimesSync(input, atime, mtime);
    expect((await ask(input, programs)).rows).not.toEqual(marked);
  });

  it('is known by its content again after its times changed', async () => {
    const input = capture();
    await ask(input, programs);
    await mark(onlyEntry());
    utimesSync(input, 1000, 1000);
    expect((await ask(input, programs)).rows).toEqual(marked);
    expect(known()).toHaveLength(2);
  });
});

describe('a file whose times cannot be trusted', () => {
  it('is read each time', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 });
    try {
      const input = capture();
      await ask(input, programs);
      await mark(onlyEntry());
      expect((await ask(input, programs)).rows).toEqual(marked);
      expect(readdirSync(join(place, 'files'))).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a damaged entry is made anew', () => {
  const database = (entry: string) => join(entry, 'tables.duckdb');
  it.each<[string, (entry: string) => void]>([
    ['a short database', (entry) => truncateSync(database(entry), 5000)],
    ['an empty database', (entry) => truncateSync(database(entry), 0)],
    ['no database', (entry) => rmSync(database(entry))],
    [
      'a changed byte',
      (entry) => {
        const bytes = readFileSync(database(entry));
        const { atime, mtime } = statSync(database(entry));
        bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 255, bytes.length >> 1);
        writeFileSync(database(entry), bytes);
        utimesSync(database(entry), atime, mtime);
      },
    ],
    ['no description', (entry) => rmSync(join(entry, 'entry.json'))],
    ['an empty description', (entry) => truncateSync(join(entry, 'entry.json'), 0)],
    [
      'a changed description',
      (entry) => {
        const path = join(entry, 'entry.json');
        writeFileSync(path, readFileSync(path, 'utf8').replace('"damage":[]', '"damage":[1]'));
      },
    ],
    [
      'a directory as the database',
      (entry) => {
        rmSync(database(entry));
        mkdirSync(database(entry));
      },
    ],
  ])('%s', async (_, harm) => {
    const input = capture();
    const expected = await ask(input, programs);
    await mark(onlyEntry());
    harm(onlyEntry());
    expect(await ask(input, programs)).toEqual(expected);
    await mark(onlyEntry());
    expect((await ask(input, programs)).rows).toEqual(marked);
  });

  it('but a moved cache is not damaged', async () => {
    const input = capture();
    await ask(input, programs);
    await mark(onlyEntry());
    const entry = onlyEntry();
    copyFileSync(database(entry), `${entry}.copy`);
    renameSync(`${entry}.copy`, database(entry));
    expect((await ask(input, programs)).rows).toEqual(marked);
    expect((await ask(input, programs)).rows).toEqual(marked);
  });
});

describe('the size', () => {
  it('is bounded; the entry that was not used for longest goes first', async () => {
    const inputs = ['incident.scap', 'webserver.scap', 'live.scap'].map((name, index) =>
      capture(`${index}.scap`, name),
    );
    const [first, second, third] = inputs as [string, string, string];
    await ask(first, programs);
    await ask(second, programs);
    const all = new CaptureCache(place, large);
    const bytes = all.list().map((entry) => entry.bytes);
    // The use marks have the resolution of the file system.
    for (const entry of entries()) utimesSync(join(entry, 'entry.json'), 1000, 1000);
    await ask(first, programs);
    const limit = Math.max(...bytes) * 2.5;
    await ask(third, programs, { cache: new CaptureCache(place, limit) });
    expect(all.list().map(({ input }) => input)).toEqual([third, first]);
    expect(readdirSync(join(place, 'work'))).toEqual([]);
  });

  it('can be too small for any entry', async () => {
    const input = capture();
    const cache = new CaptureCache(place, 1000);
    const expected = await askWithout(input, programs);
    expect(await ask(input, programs, { cache })).toEqual(expected);
    expect(cache.list()).toEqual([]);
    expect(readdirSync(join(place, 'files'))).toEqual([]);
  });
});

describe('the files', () => {
  it('are private', async () => {
    await ask(capture(), programs);
    const modes = (path: string): number[] => {
      const info = statSync(path);
      const inside = info.isDirectory()
        ? readdirSync(path).flatMap((name) => modes(join(path, name)))
        : [];
      return [info.mode & 0o7777, ...inside];
    };
    expect(new Set(modes(place))).toEqual(new Set([0o700, 0o600]));
  });

  it('of unfinished work are removed by the next run that makes an entry', async () => {
    await ask(capture(), programs);
    const old = join(place, 'work', '.sfkit-scratch.1-0.00000000.part');
    mkdirSync(old);
    writeFileSync(join(old, 'tables.duckdb'), 'x');
    utimesSync(old, 1000, 1000);
    await ask(capture('w.scap', 'webserver.scap'), programs);
    expect(existsSync(old)).toBe(false);
  });
});

describe('without a place for the cache', () => {
  it('a query answers all the same', async () => {
    const input = capture();
    writeFileSync(join(place, 'entries'), 'in the way');
    expect(await ask(input, programs)).toEqual(await askWithout(input, programs));
  });

  it.skipIf(process.geteuid?.() === 0)(
    'a directory that cannot be written does no harm (needs a user other than root)',
    async () => {
      chmodSync(place, 0o500);
      const input = capture();
      expect(await ask(input, programs)).toEqual(await askWithout(input, programs));
      chmodSync(place, 0o700);
    },
  );
});

describe('an input that cannot be read', () => {
  it('gives the same error', async () => {
    const path = join(directory, 'text.scap');
    writeFileSync(path, 'no capture');
    const message = (promise: Promise<unknown>) =>
      promise.then(String, (error: Error) => error.message);
    expect(await message(ask(path, programs))).toBe(await message(askWithout(path, programs)));
    expect(entries()).toEqual([]);
    expect(readdirSync(join(place, 'work'))).toEqual([]);
  });
});
