import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readInfo, readSummary, type Summary } from '../../src/engine/session.js';
import { listEvents } from '../../src/export/events.js';
import { isLossy, recover } from '../../src/export/recover.js';
import { fileSink } from '../../src/output/sink.js';
import { corpus, corpusCaptures } from '../helpers/corpus.js';
import { memorySink } from '../helpers/sinks.js';

// Small captures, most of them with one kind of damage. index.json has the expected outcome of
// each.

interface Edge {
  file: string;
  expect: 'clean' | 'partial' | 'refuse';
  /** Another acceptable outcome, or ''. */
  also: string;
  events: number;
  max_events: number;
  sections: number;
}

const directory = join(corpus, 'edge');
const index = join(directory, 'index.json');
const edges = existsSync(index) ? (JSON.parse(readFileSync(index, 'utf8')) as Edge[]) : [];

/** The ways to read a capture, each with what it says of it. */
const ways: Record<string, (input: string) => Promise<Summary>> = {
  convert: (input) => readSummary({ input, kind: 'capture' }),
  info: (input) => readInfo({ input, kind: 'capture' }),
  events: (input) => listEvents(input, { format: 'json' }, memorySink()),
};

describe.skipIf(edges.length === 0)('a broken or unusual capture (needs ../shared)', () => {
  it.each(edges.map((edge) => [edge.file, edge] as const))('%s', async (file, edge) => {
    for (const [name, read] of Object.entries(ways)) {
      const { outcome, events } = await take(read(join(directory, file)));
      expect([edge.expect, edge.also], name).toContain(outcome);
      if (outcome === 'refuse') continue;
      expect(events, name).toBeGreaterThanOrEqual(edge.events);
      expect(events, name).toBeLessThanOrEqual(Math.max(edge.events, edge.max_events));
    }
  });

  it('and sections are counted', async () => {
    for (const { file, sections, ...edge } of edges.filter(
      (candidate) => candidate.expect === 'clean',
    )) {
      const { info } = await readInfo({ input: join(directory, file), kind: 'capture' });
      expect(Number(info.sections), `${file} ${edge.expect}`).toBe(sections);
    }
  });
});

// The corpus's own checker of captures. It reads long ones slowly.
const checker = join(dirname(corpus), 'tools', 'scap_dump.py');
const readable = [
  ...edges.filter((edge) => edge.expect !== 'refuse').map((edge) => join(directory, edge.file)),
  ...corpusCaptures().flatMap(({ name, path }) =>
    name.startsWith('edge/') || name.includes('full') ? [] : [path],
  ),
];

describe.skipIf(!existsSync(checker) || readable.length === 0)(
  'what is recovered (needs ../shared)',
  () => {
    let scratch: string;
    beforeAll(() => {
      scratch = mkdtempSync(join(tmpdir(), 'sfkit-recover-'));
    });
    afterAll(() => rmSync(scratch, { recursive: true }));

    it.each([0, 1, 2, 3])(
      'is clean to sfkit and to the checker of the corpus (part %i of 4)',
      async (part) => {
        const outputs: string[] = [];
        for (const input of readable.filter((_, place) => place % 4 === part)) {
          const output = join(scratch, basename(input));
          const made = await recover(input, fileSink(output));
          const before = await readInfo({ input, kind: 'capture' });
          const after = await readInfo({ input: output, kind: 'capture' });
          expect(after.damage, input).toEqual([]);
          expect(after.events, input).toBe(made.shown);
          // Events that say nothing sensible are the only ones that go.
          expect(before.events - after.events, input).toBe(BigInt(badEvents(before)));
          expect(isLossy(made) || before.damage.length === 0, input).toBe(true);
          outputs.push(output);
        }
        const { status, stdout, stderr } = spawnSync('python3', [checker, '--check', ...outputs], {
          encoding: 'utf8',
          maxBuffer: 1 << 28,
        });
        expect(status, stdout.slice(0, 2000) + stderr).toBe(0);
      },
    );
  },
);

function badEvents({ damage }: Summary): number {
  return damage.filter(({ kind, message }) => kind === 'bad-event' && message.startsWith('event '))
    .length;
}

async function take(reading: Promise<Summary>): Promise<{ outcome: string; events: number }> {
  try {
    const summary = await reading;
    return {
      outcome: summary.damage.length > 0 ? 'partial' : 'clean',
      events: Number(summary.events),
    };
  } catch {
    return { outcome: 'refuse', events: 0 };
  }
}
