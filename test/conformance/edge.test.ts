import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSummary } from '../../src/engine/session.js';
import { corpus } from '../helpers/corpus.js';

// Small captures, most of them broken in one way each; index.json says how each must be taken.

interface Edge {
  file: string;
  expect: 'clean' | 'partial' | 'refuse';
  /** Another outcome that is as good, or ''. */
  also: string;
  events: number;
  max_events: number;
}

const directory = join(corpus, 'edge');
const index = join(directory, 'index.json');
const edges = existsSync(index) ? (JSON.parse(readFileSync(index, 'utf8')) as Edge[]) : [];

describe.skipIf(edges.length === 0)('a broken or unusual capture', () => {
  it.each(edges.map((edge) => [edge.file, edge] as const))('%s', async (file, edge) => {
    const { outcome, events } = await take(join(directory, file));
    expect([edge.expect, edge.also]).toContain(outcome);
    if (outcome === 'refuse') return;
    expect(events).toBeGreaterThanOrEqual(edge.events);
    expect(events).toBeLessThanOrEqual(Math.max(edge.events, edge.max_events));
  });
});

async function take(input: string): Promise<{ outcome: string; events: number }> {
  try {
    const summary = await readSummary({ input, kind: 'capture' });
    return { outcome: summary.damage.length > 0 ? 'partial' : 'clean', events: Number(summary.events) };
  } catch {
    return { outcome: 'refuse', events: 0 };
  }
}
