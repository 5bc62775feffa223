import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { liveJson } from '../../src/cli/live-summary.js';
import { reasonCount } from '../../src/engine/reasons.js';
import { readSummary } from '../../src/engine/session.js';
import { Workplace } from '../helpers/cli.js';
import { fixtures, root } from '../helpers/corpus.js';
import { liveTitle, noLive } from '../helpers/live.js';

// docs/schemas describes the exact output of each --json: an added or removed member fails here. To
// accept it, edit its schema.

const directory = join(root, 'docs/schemas');
const names = readdirSync(directory).map((name) => name.replace(/\.json$/, ''));
const readSchema = (name: string) =>
  JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8'));

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
formats.default(ajv);
for (const name of names) ajv.addSchema(readSchema(name));

function conforms(name: string, value: unknown): void {
  const validate = ajv.getSchema(`${name}.json`);
  if (validate === undefined) throw new Error(`docs/schemas/${name}.json is missing`);
  validate(value);
  expect(validate.errors ?? [], `${name}: ${JSON.stringify(value).slice(0, 2000)}`).toEqual([]);
}

const incident = 'sfkit check fixtures/incident.scap --rules fixtures/rules/incident.yaml';
const badRule =
  '- rule: Bad\\n  desc: Wrong.\\n  condition: proc.nam = x\\n  output: x\\n  priority: INFO\\n';

/**
 * Commands by the schema of their output; `lines`: the schema applies to each line. Exit codes do
 * not matter.
 */
const outputs: { schema: string; command: string; lines?: boolean }[] = [
  { schema: 'convert', command: 'sfkit convert fixtures/webserver.scap --json' },
  { schema: 'convert', command: 'sfkit convert fixtures/incident.scap cut.scap -o many/ --json' },
  { schema: 'convert', command: 'sfkit convert cut.scap -o cut.sf --json' },
  { schema: 'info', command: 'sfkit info fixtures/webserver.scap cut.scap missing.scap --json' },
  { schema: 'info', command: 'sfkit info fixtures/webserver-2017.scap --events --json' },
  { schema: 'event', command: 'sfkit events fixtures/webserver.scap --json', lines: true },
  { schema: 'event', command: 'sfkit events fixtures/webserver-2017.scap --json', lines: true },
  { schema: 'fields', command: 'sfkit fields --json' },
  { schema: 'fields-refused', command: 'sfkit fields --refused --json' },
  { schema: 'doctor', command: 'sfkit doctor --json' },
  {
    schema: 'cache',
    command: 'sfkit query fixtures/incident.scap "from process" > all.txt; sfkit cache info --json',
  },
  { schema: 'cache-clear', command: 'sfkit cache clear --json' },
  { schema: 'check', command: `${incident} --format json` },
  {
    schema: 'check',
    command: `${incident} --format json --evidence 1 --suppress fixtures/accepted.yaml --today 2026-11-29`,
  },
  { schema: 'check', command: `${incident} cut.scap missing.scap --format json` },
  { schema: 'finding', command: `${incident} --format jsonl`, lines: true },
  { schema: 'finding', command: `${incident} --format jsonl --all --evidence 2`, lines: true },
  {
    schema: 'rules',
    command: 'sfkit check --rules fixtures/rules/incident.yaml --list --format json',
  },
  {
    schema: 'validate',
    command: 'sfkit check --rules fixtures/rules/incident.yaml --validate --format json',
  },
  {
    schema: 'validate',
    command: `printf -- '${badRule}' > bad.yaml; sfkit check --rules bad.yaml --validate --format json`,
  },
];

describe.concurrent('the output of --json matches docs/schemas', () => {
  const place = new Workplace();
  beforeAll(() => place.run('head -c 30000 fixtures/webserver.scap > cut.scap'));
  afterAll(() => place.remove());

  it.each(outputs)('$command', async ({ schema, command, lines }) => {
    const { stdout, stderr } = await place.run(command);
    const documents = lines ? stdout.trimEnd().split('\n') : [stdout];
    expect(documents[0], stderr).not.toBe('');
    for (const document of documents) conforms(schema, JSON.parse(document));
  });
});

describe('the output of live capture', () => {
  it('matches docs/schemas, with and without records', async () => {
    const summary = await readSummary({ input: join(fixtures, 'webserver.scap') });
    const gaps = [{ ...reasonCount('buffers-full', 3n), isLoss: true }];
    const outcome = {
      summary: { ...summary, live: { ...summary.live, gaps } },
      seconds: 1.5,
      outputs: [{ output: '-', format: 'jsonl' }],
    };
    conforms('live', JSON.parse(liveJson(outcome)));
    conforms('live', JSON.parse(liveJson({ ...outcome, recordsMade: false })));
  });

  it.skipIf(noLive !== undefined)(liveTitle('matches docs/schemas on this machine'), async () => {
    const place = new Workplace();
    try {
      const { stdout, stderr } = await place.run(
        'sfkit record -o live.scap --max-events 100 --json',
      );
      expect(stdout, stderr).not.toBe('');
      conforms('live', JSON.parse(stdout));
    } finally {
      place.remove();
    }
  });
});

describe('the schemas', () => {
  it('are all used by a command', () => {
    const used = new Set(['common', 'live', ...outputs.map(({ schema }) => schema)]);
    expect(names.filter((name) => !used.has(name))).toEqual([]);
  });

  it('cover every command that has --json', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8'));
    const withJson = Object.entries<{ flags: object }>(manifest.commands).filter(
      ([, { flags }]) => 'json' in flags,
    );
    const titles = names.map((name) => readSchema(name).title as string).join('\n');
    for (const [id] of withJson) expect(titles).toMatch(new RegExp(`sfkit ${id} .*--json`));
  });

  it('reject an unknown member and a missing one', async () => {
    const validate = ajv.getSchema('fields-refused.json') as (value: unknown) => boolean;
    expect(validate([{ name: 'a', reason: 'b' }])).toBe(true);
    expect(validate([{ name: 'a', reason: 'b', more: 1 }])).toBe(false);
    expect(validate([{ name: 'a' }])).toBe(false);
    const closed = (schema: unknown): boolean =>
      typeof schema !== 'object' || schema === null
        ? true
        : (!('properties' in schema) || 'additionalProperties' in schema) &&
          Object.values(schema).every(closed);
    for (const name of names) expect(closed(readSchema(name)), name).toBe(true);
  });
});
