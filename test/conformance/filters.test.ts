import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listEvents } from '../../src/export/events.js';
import { corpusCaptures, root } from '../helpers/corpus.js';
import { memorySink } from '../helpers/sinks.js';

// Which events pass a filter, against Debian's sysdig 0.29.3. What it printed is recorded in filters.json, so that the
// test needs no sysdig; SFKIT_RECORD_SYSDIG=1 records anew where it is installed. An event is known by its time, thread
// and direction: some names have changed since.

interface Recorded {
  filter: string;
  /** Why sfkit passes other events, and in which captures; in all others both pass the same. */
  differs?: string;
  differsIn?: string[];
  /** By capture: how many events pass, and the hash of which. */
  sysdig: Record<string, string>;
}

const file = join(root, 'test/conformance/filters.json');
const recorded = JSON.parse(readFileSync(file, 'utf8')) as { captures: string[]; filters: Recorded[] };
const captures = corpusCaptures().filter(({ name }) => recorded.captures.includes(name));
const shape = '%evt.rawtime %thread.tid %evt.dir';
// What sysdig shows only when it is asked for by name.
const shown = 'not evt.type in (procinfo, container, useradded, groupadded)';

describe.skipIf(captures.length === 0)('filters pass the events that sysdig passes (needs ../shared)', () => {
  if (process.env.SFKIT_RECORD_SYSDIG) record();

  it.each(recorded.filters.map((entry) => [entry.filter, entry] as const))('%s', async (_, entry) => {
    const differing = await differencesOf(entry);
    if (process.env.SFKIT_RECORD_SYSDIG && entry.differs !== undefined) {
      entry.differsIn = differing;
      write();
    }
    expect(differing, entry.differs ?? 'no difference is explained').toEqual(entry.differsIn ?? []);
  });

  it('and there are at least 60 of them, on captures that are all there', () => {
    expect(recorded.filters.filter(({ differsIn = [] }) => differsIn.length === 0).length).toBeGreaterThanOrEqual(60);
    expect(captures.map(({ name }) => name).sort()).toEqual([...recorded.captures].sort());
  });
});

async function differencesOf(entry: Recorded): Promise<string[]> {
  const differing: string[] = [];
  for (const { name, path } of captures) {
    const sink = memorySink();
    await listEvents(path, { format: 'text', line: shape, filter: `(${entry.filter}) and ${shown}` }, sink);
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
      const text = execFileSync('sysdig', ['-r', path, '-p', `*${shape}`, entry.filter], { maxBuffer: 1 << 30 });
      entry.sysdig[name] = digest(text.toString());
    }
  }
  write();
}

function write(): void {
  writeFileSync(file, `${JSON.stringify(recorded, null, 2)}\n`);
}
