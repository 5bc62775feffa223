import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CollectorOptions } from '../../src/engine/config.js';
import { convert } from '../../src/export/convert.js';
import { capturesIn, corpus, hasCorpus, root } from '../helpers/corpus.js';
import { readSf } from '../helpers/sf.js';
import { compare, type Differences } from './compare.js';

// The collector's own output is the measure of --compat sysflow-0.7. Which differences remain, and why, is
// in differences.json and differences.md.

const allowed = JSON.parse(readFileSync(join(root, 'test/conformance/differences.json'), 'utf8')) as Record<
  string,
  Record<string, Differences>
>;

/** Settings of the collector that made the golden files (its own tests), and its defaults. */
const full: CollectorOptions = {
  compat: 'sysflow-0.7',
  exporter: 'tests',
  fileReadMode: 'all',
  fileOnly: false,
  processFlow: false,
};
const defaults: CollectorOptions = { compat: 'sysflow-0.7', exporter: 'tests' };

const references: readonly [string, CollectorOptions][] = [
  ['golden', full],
  ['sysporter-full', full],
  ['sysporter-default', defaults],
];

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-conformance-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const captures = capturesIn(join(corpus, 'sf-collector'));

describe.skipIf(!hasCorpus)('--compat sysflow-0.7 makes what the collector made', () => {
  const cases = captures.flatMap((capture) =>
    references
      .map(([name, settings]) => ({ capture, name, settings, path: capture.replace(/\.scap$/, `.${name}.sf`) }))
      .filter(({ path }) => existsSync(path)),
  );

  it.each(cases.map((entry) => [basename(entry.capture, '.scap'), entry.name, entry] as const))(
    'of %s (%s)',
    async (capture, name, entry) => {
      const output = join(directory, `${capture}.${name}.sf`);
      await convert({ input: entry.capture, format: 'avro', shape: 'file', output }, entry.settings);
      const differences = compare(await readSf(entry.path), await readSf(output));
      expect(differences).toEqual(allowed[capture]?.[name] ?? {});
    },
  );

  it('and every allowed difference belongs to a capture that is there', () => {
    const known = new Set(cases.map(({ capture, name }) => `${basename(capture, '.scap')} ${name}`));
    const listed = Object.entries(allowed).flatMap(([capture, byName]) =>
      Object.keys(byName).map((name) => `${capture} ${name}`),
    );
    expect(listed.filter((entry) => !known.has(entry))).toEqual([]);
  });
});
