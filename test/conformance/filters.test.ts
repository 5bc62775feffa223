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
  /** Why sfkit passes other events; without it, both pass the same. */
  differs?: string;
  /** By capture: how many events pass, and the hash of which. */
  sysdig: Record<string, string>;
}

const file = join(root, 'test/conformance/filters.json');
const recorded = JSON.parse(readFileSync(file, 'utf8')) as { captures: string[]; filters: Recorded[] };
const captures = corpusCaptures().filter(({ name }) => recorded.captures.includes(name));
const shape = '%evt.rawtime %thread.tid %evt.dir';
// What sysdig shows only when it is asked for by name.
const shown = 'not evt.type in (procinfo, container, useradded, groupadded)';

describe.skipIf(captures.length === 0)('filters pass the events that sysdig passes', () => {
  if (process.env.SFKIT_RECORD_SYSDIG) record();

  it.each(recorded.filters.map((entry) => [entry.filter, entry] as const))('%s', async (filter, entry) => {
    const ours: Record<string, string> = {};
    for (const { name, path } of captures) {
      if (entry.sysdig[name] === undefined) continue;
      const sink = memorySink();
      await listEvents(path, { format: 'text', line: shape, filter: `(${filter}) and ${shown}` }, sink);
      ours[name] = digest(sink.text());
    }
    if (entry.differs === undefined) expect(ours).toEqual(entry.sysdig);
    else expect(ours, 'the difference is gone, so its reason should go too').not.toEqual(entry.sysdig);
  });

  it('and there are at least 60 of them, on captures that are all there', () => {
    expect(recorded.filters.filter(({ differs }) => differs === undefined).length).toBeGreaterThanOrEqual(60);
    expect(captures.map(({ name }) => name).sort()).toEqual([...recorded.captures].sort());
  });
});

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
  writeFileSync(file, `${JSON.stringify(recorded, null, 2)}\n`);
}
