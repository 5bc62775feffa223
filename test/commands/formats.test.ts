import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runConversion } from '../../src/convert/convert.js';
import { type TableName, tables } from '../../src/engine/columns.gen.js';
import { openColumns } from '../../src/engine/session.js';
import type { Format } from '../../src/export/plan.js';
import { capturesIn, corpus, fixtures } from '../helpers/corpus.js';
import type { Digest } from '../helpers/digest.js';
import {
  digestArrow,
  digestCsv,
  digestInput,
  digestJsonl,
  digestParquet,
} from '../helpers/readers.js';
import { readSf } from '../helpers/sf.js';

// Every format contains the same rows, for every reader.

const fromCorpus = [
  'sf-collector/tcp-client-server',
  'sf-collector/mpm-event.cold_start',
  'falco/syscall',
  'libs/single_ipv6_conn',
  'modern/b_net',
];
const captures = [
  ...capturesIn(fixtures),
  ...capturesIn(corpus),
  ...fromCorpus.map((name) => join(corpus, `${name}.scap`)),
].filter((path) => capturesIn(join(path, '..')).includes(path));
const tableNames = tables.filter((table) => table.kind !== 'all').map((table) => table.name);

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-formats-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

async function toDirectory(
  input: string,
  format: Format,
  name = `${basename(input)}.${format}/`,
): Promise<string> {
  const output = join(directory, name);
  await runConversion({ input, format, shape: 'directory', output });
  return output;
}

async function digests(
  directory: string,
  ending: string,
  read: (table: TableName, path: string) => Digest | Promise<Digest>,
) {
  const result = new Map<TableName, Digest>();
  for (const table of tableNames)
    result.set(table, await read(table, join(directory, `${table}.${ending}`)));
  return result;
}

/** How many SETUIDs are to users without a name: a .sf file cannot represent their numbers. */
async function unnamedUsers(input: string): Promise<number> {
  let count = 0;
  for await (const batch of openColumns({ input, tables: ['process_event'] })) {
    for (let row = 0; row < batch.rows; row++) {
      const isSetuid = (batch.column('opflags').get(row) as string[]).includes('SETUID');
      if (isSetuid && /^\d+$/.test(String(batch.column('evt_args').get(row)))) count++;
    }
  }
  return count;
}

/** Columns of facts that a .sf file has no place for. */
const absent = ['proc_comm', 'pproc_comm', 'proc_ppid', 'container_labels', 'pod_labels'];

/**
 * How many network flows show who connected: to .sf files, only connects and accepts over TCP do.
 */
async function shownRoles(input: string): Promise<number> {
  let count = 0;
  for await (const batch of openColumns({ input, tables: ['network_flow'] })) {
    for (let row = 0; row < batch.rows; row++) {
      const opflags = batch.column('opflags').get(row) as string[];
      const shows = opflags.includes('ACCEPT') || opflags.includes('CONNECT');
      if (shows && batch.column('net_proto').get(row) === 6) count++;
    }
  }
  return count;
}

const valuesIn = (digest: Digest, column: string) =>
  Number.parseInt(digest.columns[column] ?? '', 10);

describe.each(captures.map((path) => [basename(path), path] as const))('%s', (name, input) => {
  it('gives the same counts and sums as Parquet, Arrow, JSON Lines and CSV', async () => {
    const reference = await digestInput(input);
    reference.delete('sysflow');
    for (const digest of reference.values()) {
      // convert sets the header's file name.
      digest.columns.filename = 'ignored';
    }
    const without = (found: Map<TableName, Digest>) => {
      for (const digest of found.values()) digest.columns.filename = 'ignored';
      return found;
    };
    expect(
      without(await digests(await toDirectory(input, 'parquet'), 'parquet', digestParquet)),
    ).toEqual(reference);
    expect(without(await digests(await toDirectory(input, 'arrow'), 'arrow', digestArrow))).toEqual(
      reference,
    );
    expect(without(await digests(await toDirectory(input, 'jsonl'), 'jsonl', digestJsonl))).toEqual(
      reference,
    );
    expect(without(await digests(await toDirectory(input, 'csv'), 'csv', digestCsv))).toEqual(
      reference,
    );
  });

  it('gives the same rows as a .sf file, except IPv6 flows, which .sf cannot represent', async () => {
    const output = join(directory, `${name}.sf`);
    const summary = await runConversion({ input, format: 'avro', shape: 'file', output });
    const left = summary.skipped
      .filter(({ reason }) => /ipv6/i.test(reason))
      .reduce((sum, { count }) => sum + count, 0n);
    const fromCapture = await digestInput(input);
    const fromFile = await digestInput(output);
    const unnamed = await unnamedUsers(input);
    const roles = await shownRoles(output);
    for (const table of tableNames) {
      const [capture, file] = [fromCapture.get(table) as Digest, fromFile.get(table) as Digest];
      if (table === 'process_event' && unnamed > 0) {
        const [all, named] = [capture, file].map(({ columns }) =>
          Number.parseInt(columns.evt_args as string, 10),
        );
        expect(named).toBe((all as number) - unnamed);
        for (const { columns } of [capture, file]) delete columns.evt_args;
      }
      for (const column of absent.filter((name) => name in file.columns)) {
        expect(valuesIn(file, column), `${table}.${column}`).toBe(0);
        for (const { columns } of [capture, file]) delete columns[column];
      }
      if (table === 'network_flow') {
        for (const column of ['role', 'direction']) {
          expect(valuesIn(file, column), column).toBe(roles);
          expect(valuesIn(capture, column)).toBeGreaterThanOrEqual(roles);
          for (const { columns } of [capture, file]) delete columns[column];
        }
      }
      for (const { columns } of [capture, file]) delete columns.filename;
      if (left === 0n) {
        expect(file, table).toEqual(capture);
      } else {
        const expected = table === 'network_flow' ? capture.rows - Number(left) : capture.rows;
        expect(file.rows, table).toBe(expected);
      }
    }
  });

  it('gives a .sf file that avsc reads without a separate schema', async () => {
    const records = await readSf(join(directory, `${name}.sf`));
    expect(records[0]?.type).toBe('SFHeader');
    const fromFile = await digestInput(join(directory, `${name}.sf`));
    const count = (type: string) => records.filter((record) => record.type === type).length;
    const expected = {
      ProcessEvent: 'process_event',
      FileEvent: 'file_event',
      NetworkFlow: 'network_flow',
      FileFlow: 'file_flow',
      ProcessFlow: 'process_flow',
      Process: 'process',
      File: 'file',
      Container: 'container',
    } as const;
    for (const [type, table] of Object.entries(expected))
      expect(fromFile.get(table)?.rows, type).toBe(count(type));
  });

  it('gives the same bytes twice', async () => {
    for (const format of ['parquet', 'arrow', 'jsonl', 'csv'] as const) {
      const [first, second] = [
        await toDirectory(input, format, `first.${format}/`),
        await toDirectory(input, format, `second.${format}/`),
      ];
      for (const file of readdirSync(first)) {
        expect(
          readFileSync(join(first, file)).equals(readFileSync(join(second, file))),
          `${format} ${file}`,
        ).toBe(true);
      }
    }
    const files = ['first.sf', 'second.sf'].map((file) => join(directory, file));
    for (const output of files)
      await runConversion({ input, format: 'avro', shape: 'file', output });
    expect(readFileSync(files[0] as string).equals(readFileSync(files[1] as string))).toBe(true);
  });
});

const python = process.env.PYTHON ?? 'python3';
const hasPyarrow = spawnSync(python, ['-c', 'import pyarrow']).status === 0;

describe('pyarrow', () => {
  it.skipIf(!hasPyarrow)(
    'opens Arrow files and streams (skipped: Python has no pyarrow here)',
    async () => {
      const input = captures[0] as string;
      const output = await toDirectory(input, 'arrow', 'pyarrow/');
      const script = `
import pyarrow as pa, sys, os
for name in sorted(os.listdir(sys.argv[1])):
    table = pa.ipc.open_file(os.path.join(sys.argv[1], name)).read_all()
    table.validate(full=True)
    print(name[:-6], table.num_rows)
`;
      const { stdout, stderr } = spawnSync(python, ['-c', script, output], { encoding: 'utf8' });
      const reference = await digestInput(input);
      const expected = [...tableNames]
        .sort()
        .map((table) => `${table} ${reference.get(table)?.rows}`);
      expect(stdout.trimEnd().split('\n'), stderr).toEqual(expected);
    },
  );
});
