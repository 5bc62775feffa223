import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listEvents } from '../../src/export/events.js';
import { corpusCaptures, root } from '../helpers/corpus.js';
import { memorySink } from '../helpers/sinks.js';

// Compares the events that pass a filter with Debian's sysdig 0.29.3. filters.json has the recorded
// output of sysdig, so the test does not need sysdig; SFKIT_RECORD_SYSDIG=1 records it again if
// sysdig is installed. Time, thread and direction identify an event, because some names have
// changed since.

interface Recorded {
  filter: string;
  /**
   * Why sfkit passes other events, and in which captures. In all other captures, both pass the same
   * events.
   */
  differs?: string;
  differsIn?: string[];
  /** By capture: number of passing events, and their hash. */
  sysdig: Record<string, string>;
}

const file = join(root, 'test/conformance/filters.json');
const recorded = JSON.parse(readFileSync(file, 'utf8')) as {
  captures: string[];
  filters: Recorded[];
};
const captures = corpusCaptures().filter(({ name }) => recorded.captures.includes(name));
const shape = '%evt.rawtime %thread.tid %evt.dir';
// sysdig shows these types only if a filter names them.
const shown = 'not evt.type in (procinfo, container, useradded, groupadded)';

describe.skipIf(captures.length === 0)(
  'filters pass the events that sysdig passes (needs ../shared)',
  () => {
    if (process.env.SFKIT_RECORD_SYSDIG) record();

    it.each(recorded.filters.map((entry) => [entry.filter, entry] as const))(
      '%s',
      async (_, entry) => {
        const differing = await differencesOf(entry);
        if (process.env.SFKIT_RECORD_SYSDIG && entry.differs !== undefined) {
          entry.differsIn = differing;
          write();
        }
        expect(differing, entry.differs ?? 'no difference is explained').toEqual(
          entry.differsIn ?? [],
        );
      },
    );

    it('at least 60 filters have no difference, and every listed capture exists', () => {
      expect(
        recorded.filters.filter(({ differsIn = [] }) => differsIn.length === 0).length,
      ).toBeGreaterThanOrEqual(60);
      expect(captures.map(({ name }) => name).sort()).toEqual([...recorded.captures].sort());
    });
  },
);

async function differencesOf(entry: Recorded): Promise<string[]> {
  const differing: string[] = [];
  for (const { name, path } of captures) {
    const sink = memorySink();
    await listEvents(
      path,
      { format: 'text', line: shape, filter: `(${entry.filter}) and ${shown}` },
      sink,
    );
    if (digest(sink.text()) !== entry.sysdig[name]) differing.push(name);
  }
  return differing;
}

function digest(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '');
  return `${lines.length} ${createHash('sha256').update(lines.sort().join('\n')).digest('hex').slice(0, 16)}`;
}

function record(): void {
  for (const entry of recorded.filters) {
    entry.sysdig = {};
    for (const { name, path } of captures) {
      const text = execFileSync('sysdig', ['-r', path, '-p', `*${shape}`, entry.filter], {
        maxBuffer: 1 << 30,
      });
      entry.sysdig[name] = digest(text.toString());
    }
  }
  write();
}

function write(): void {
  writeFileSync(file, `${JSON.stringify(recorded, null, 2)}\n`);
}
