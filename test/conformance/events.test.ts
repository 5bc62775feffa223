import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { corpusCaptures, root } from '../helpers/corpus.js';
import { compareEvents, readOurs, readTruth } from './truth.js';

// Compares `sfkit events` with the reference tables of the corpus. events-differences.json lists
// the differences, and events-differences.md gives the reasons. SFKIT_UPDATE_GOLDEN=1 updates the
// counts.

interface Expected {
  /** Events that are not procinfo records, and the equal ones among them. */
  events: number;
  equal: number;
  kinds: Record<string, number>;
}

const listFile = join(root, 'test/conformance/events-differences.json');
const expected = JSON.parse(readFileSync(listFile, 'utf8')) as Record<string, Expected>;
const explained = readFileSync(join(root, 'test/conformance/events-differences.md'), 'utf8');

const captures = corpusCaptures().filter(({ path }) => existsSync(truthOf(path)));

describe.skipIf(captures.length === 0)(
  'every event is as the public capture library shows it (needs ../shared)',
  () => {
    it.each(captures.map(({ name, path }) => [name, path] as const))('%s', async (name, path) => {
      const { realRows, equal, kinds, examples } = compareEvents(
        readTruth(truthOf(path)),
        await readOurs(path),
      );
      const found: Expected = { events: realRows, equal, kinds };
      if (process.env.SFKIT_UPDATE_GOLDEN) {
        expected[name] = found;
        writeFileSync(listFile, `${JSON.stringify(expected, null, 2)}\n`);
        return;
      }
      expect(found, JSON.stringify(examples, null, 2)).toEqual(expected[name]);
    });

    it('but for kinds of difference that are explained', () => {
      const kinds = new Set(Object.values(expected).flatMap((entry) => Object.keys(entry.kinds)));
      const unexplained = [...kinds].filter((kind) => !explained.includes(`\`${kind}\``));
      expect(unexplained).toEqual([]);
    });

    it('every listed capture exists', () => {
      expect(Object.keys(expected).sort()).toEqual(captures.map(({ name }) => name).sort());
    });
  },
);

function truthOf(capture: string): string {
  return capture.replace(/\.scap$/, '.events.tsv.gz');
}
