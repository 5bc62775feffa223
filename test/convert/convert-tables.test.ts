import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runConversion } from '../../src/convert/convert.js';
import { tables } from '../../src/engine/columns.gen.js';
import { type Format, planOne } from '../../src/export/plan.js';
import { singleInputs } from '../../src/query/inputs.js';
import { capturesIn, corpus, fixtures } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';
import { readSf, type SfRecord } from '../helpers/sf.js';

// Converting a conversion gives the same output as converting the capture.

const fromCorpus = [
  'sf-collector/alpine',
  'sf-collector/mpm-event.full',
  'sf-collector/setns',
  'sf-collector/tcp-client-server',
  'modern/a_files',
  'modern/b_net',
  'modern/d_gcc',
  'modern/n_table',
];
const captures = [
  ...capturesIn(fixtures),
  ...fromCorpus.map((name) => join(corpus, `${name}.scap`)).filter((path) => existsSync(path)),
];

const directory = testDirectory();

/** Converts a capture, a SysFlow file or a directory of tables to the named file or directory. */
async function become(input: string, format: Format, name: string): Promise<string> {
  const output = directory.path(name);
  const [single] = singleInputs([input]);
  await runConversion(planOne(input, false, format, output), { tables: single?.tables });
  return output;
}

const isFilled = (variable: string) => variable !== '' && variable !== '=';

/**
 * Records with their environment as in tables: without empty variables, and as one text. Files are
 * compared separately: if the type of a file became known without a row, the tables do not show
 * when.
 */
async function records(path: string): Promise<{ files: SfRecord[]; others: SfRecord[] }> {
  const all = (await readSf(path)).map(({ type, fields }) => {
    const { env } = fields as { env?: string[] };
    if (env === undefined) return { type, fields };
    return { type, fields: { ...fields, env: env.filter(isFilled).join(';') } };
  });
  return {
    files: all.filter(({ type }) => type === 'File'),
    others: all.filter(({ type }) => type !== 'File'),
  };
}

function lines(path: string, table: string): string[] {
  return readFileSync(join(path, `${table}.jsonl`), 'utf8')
    .split('\n')
    .slice(0, -1);
}

describe.each(captures.map((path) => [basename(path), path] as const))('%s', (_, capture) => {
  it.each(['parquet', 'arrow'] as const)(
    '%s tables become its SysFlow file and its lines',
    async (format) => {
      const made = await become(capture, format, 'tables/');
      const want = await records(await become(capture, 'avro', 'want.sf'));
      expect(want.others.length).toBeGreaterThan(1);
      expect(await records(await become(made, 'avro', 'got.sf'))).toEqual(want);
      const [wanted, got] = [
        await become(capture, 'jsonl', 'want/'),
        await become(made, 'jsonl', 'got/'),
      ];
      for (const { name } of tables.filter(({ kind }) => kind !== 'all')) {
        expect(lines(got, name), name).toEqual(lines(wanted, name));
      }
    },
  );

  it('its SysFlow file converts to the same file, and to the same lines except what .sf cannot represent', async () => {
    const file = await become(capture, 'avro', basename(capture).replace('.scap', '.sf'));
    expect(await readSf(await become(file, 'avro', 'again.sf'))).toEqual(await readSf(file));
    const [wanted, got] = [
      await become(capture, 'jsonl', 'want/'),
      await become(file, 'jsonl', 'got/'),
    ];
    // The file lacks IPv6 flows, so rows have other numbers. It also lacks the ids of users without
    // names.
    const plain = (line: string) =>
      withoutFacts(line.replace(/"idx":\d+/, '"idx":0')).replace(
        /("opflags":\["SETUID"\].*"evt_args":)"\d+"/,
        '$1null',
      );
    const hasRoom = (line: string) => !/"net_[sd]ip":"[^"]*:/.test(line);
    for (const { name } of tables.filter(({ kind }) => kind !== 'all')) {
      expect(lines(got, name).map(plain), name).toEqual(
        lines(wanted, name).filter(hasRoom).map(plain),
      );
    }
  });

  it('becomes the same SysFlow file through every kind of table', async () => {
    const want = await records(await become(capture, 'avro', 'want.sf'));
    const parquet = await become(capture, 'parquet', 'one/');
    const arrow = await become(parquet, 'arrow', 'two/');
    const again = await become(arrow, 'parquet', 'three/');
    expect(await records(await become(again, 'avro', 'got.sf'))).toEqual(want);
  });
});

/** Nulls the facts that .sf files have no place for. */
function withoutFacts(line: string): string {
  const shown = line.replace(
    /"(proc_comm|pproc_comm|proc_ppid|container_labels|pod_labels)":("([^"\\]|\\.)*"|\d+)/g,
    '"$1":null',
  );
  const hasRole =
    /"opflags":\[[^\]]*"(ACCEPT|CONNECT)"/.test(line) && line.includes('"net_proto":6,');
  return hasRole ? shown : shown.replace(/"(role|direction)":"\w+"/g, '"$1":null');
}

const withEmpty = join(corpus, 'sf-collector/files.scap');
it.skipIf(!existsSync(withEmpty))(
  'tables lack empty environment variables (needs ../shared)',
  async () => {
    const environments = (list: SfRecord[]) =>
      list.flatMap(({ fields }) => (fields.env === undefined ? [] : [fields.env]));
    const direct = environments(
      await readSf(await become(withEmpty, 'avro', 'want.sf')),
    ) as string[][];
    const rebuilt = environments(
      await readSf(await become(await become(withEmpty, 'arrow', 't/'), 'avro', 'got.sf')),
    );
    expect(direct.some((env) => env.includes(''))).toBe(true);
    expect(rebuilt).toEqual(direct.map((env) => env.filter(isFilled)));
  },
);

it('a user without a name is unknown again', async () => {
  const users = (list: SfRecord[]) =>
    list
      .filter(({ type, fields }) => type === 'ProcessEvent' && fields.opFlags === 8)
      .map(({ fields }) => fields.args);
  const capture = join(fixtures, 'live.scap');
  const direct = users(await readSf(await become(capture, 'avro', 'want.sf')));
  expect(direct).toContainEqual(['<NA>']);
  expect(
    users(await readSf(await become(await become(capture, 'arrow', 't/'), 'avro', 'got.sf'))),
  ).toEqual(direct);
});
