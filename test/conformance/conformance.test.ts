import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runConversion } from '../../src/convert/convert.js';
import type { CollectorOptions } from '../../src/engine/config.js';
import { corpusCaptures, hasCorpus, root } from '../helpers/corpus.js';
import { readSf } from '../helpers/sf.js';
import { compare, type Differences } from './compare.js';

// Compares --compat sysflow-0.7 with the collector's output. differences.json lists the
// differences, and differences.md gives the reasons. SFKIT_UPDATE_GOLDEN=1 updates the counts.

const listFile = join(root, 'test/conformance/differences.json');
const allowed = JSON.parse(readFileSync(listFile, 'utf8')) as Record<
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
  ['sysporter-paired-full', full],
  ['sysporter-paired-default', defaults],
];

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-conformance-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe.skipIf(!hasCorpus)(
  '--compat sysflow-0.7 makes what the collector made (needs ../shared)',
  () => {
    const cases = corpusCaptures().flatMap(({ name: capture, path: input }) => {
      const found = references
        .map(([name, settings]) => ({
          capture,
          input,
          name,
          settings,
          path: input.replace(/\.scap$/, `.${name}.sf`),
        }))
        .filter(({ path }) => existsSync(path));
      // The collector loses most of a capture without enter events. "Paired" references come from a
      // copy with added enter events.
      const isExitOnly = found.some(({ name }) => name.includes('paired'));
      return isExitOnly ? found.filter(({ name }) => name.includes('paired')) : found;
    });

    it.each(cases.map((entry) => [entry.capture, entry.name, entry] as const))(
      'of %s (%s)',
      async (capture, name, { input, settings, path }) => {
        const output = join(directory, `${basename(capture)}.${name}.sf`);
        await runConversion({ input, format: 'avro', shape: 'file', output }, settings);
        const differences = compare(await readSf(path), await readSf(output));
        if (process.env.SFKIT_UPDATE_GOLDEN) {
          if (Object.keys(differences).length > 0)
            allowed[capture] = { ...allowed[capture], [name]: differences };
          writeFileSync(listFile, `${JSON.stringify(allowed, null, 2)}\n`);
          return;
        }
        expect(differences).toEqual(allowed[capture]?.[name] ?? {});
      },
    );

    it('allows differences only for existing captures', () => {
      const known = new Set(cases.map(({ capture, name }) => `${capture} ${name}`));
      const listed = Object.entries(allowed).flatMap(([capture, byName]) =>
        Object.keys(byName).map((name) => `${capture} ${name}`),
      );
      expect(listed.filter((entry) => !known.has(entry))).toEqual([]);
    });
  },
);
