import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readInfo } from '../../src/engine/session.js';
import { listEvents } from '../../src/export/events.js';
import { corpusCaptures } from '../helpers/corpus.js';
import { memorySink } from '../helpers/sinks.js';

// Two versions of the capture software recorded the same workload: `NAME-v21.scap` with enter and
// exit events, `NAME.scap` with exit events only. The same kinds of events must decode with the
// same fields filled.

const fields = [
  'proc.pid',
  'proc.ppid',
  'proc.name',
  'proc.exe',
  'proc.exepath',
  'proc.cwd',
  'user.uid',
  'container.id',
  'evt.res',
  'evt.rawres',
  'fd.num',
  'fd.typechar',
  'fd.name',
] as const;

/** Parameters that only one format version has, by event. */
const onlyInOne: Record<string, readonly string[]> = {
  // All of them in these captures fail. The enter event names the socket before that is known; the
  // exit does not.
  connect: ['only -v21 has fd.name'],
  // A call without a specific event in 2025: neither arguments nor a result were recorded.
  close_range: ['-v21 lacks evt.res', '-v21 lacks evt.rawres'],
};

const pairs = corpusCaptures()
  .filter(({ path }) => existsSync(path.replace(/\.scap$/, '-v21.scap')))
  .map(({ name, path }) => ({ name, exits: path, both: path.replace(/\.scap$/, '-v21.scap') }));

describe.skipIf(pairs.length === 0)('both shapes of one workload (needs ../shared)', () => {
  it.each(pairs.map((pair) => [pair.name, pair] as const))(
    '%s: the same calls',
    async (_name, { exits, both }) => {
      expect([...(await callsOf(exits))].sort()).toEqual([...(await callsOf(both))].sort());
    },
  );

  it.each(pairs.map((pair) => [pair.name, pair] as const))(
    '%s: the same fields of each kind of event are filled',
    async (_name, { exits, both }) => {
      const newer = await filledIn(exits);
      const older = await filledIn(both);
      const differences: Record<string, string[]> = {};
      for (const [event, filled] of newer) {
        const other = older.get(event) ?? new Set();
        const missing = [...filled]
          .filter((field) => !other.has(field))
          .map((field) => `-v21 lacks ${field}`);
        const extra = [...other]
          .filter((field) => !filled.has(field))
          .map((field) => `only -v21 has ${field}`);
        const found = [...missing, ...extra].filter((text) => !onlyInOne[event]?.includes(text));
        if (found.length > 0) differences[event] = found;
      }
      expect(differences).toEqual({});
    },
  );
});

/** The calls that return, by name. */
async function callsOf(path: string): Promise<Set<string>> {
  const { info } = await readInfo({ input: path, kind: 'capture' });
  return new Set(info.events.filter(({ exit }) => exit > 0n).map(({ type }) => type));
}

/**
 * By kind of event, the fields and the parameters of the call that have a value in some event of
 * it.
 */
async function filledIn(path: string): Promise<Map<string, Set<string>>> {
  const sink = memorySink();
  await listEvents(
    path,
    {
      format: 'json',
      line: fields
        .map((name) => `%${name}`)
        .join(' ')
        .concat(' %evt.dir %evt.type'),
    },
    sink,
  );
  const filled = new Map<string, Set<string>>();
  for (const line of sink.text().split('\n')) {
    if (line === '') continue;
    const event = JSON.parse(line) as Record<string, unknown>;
    if (event['evt.dir'] !== '<') continue;
    const kind = String(event['evt.type']);
    const known = filled.get(kind) ?? new Set();
    for (const name of fields) if (event[name] !== null) known.add(name);
    filled.set(kind, known);
  }
  return filled;
}
