import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseStep, stepText, timelineStatement, usualStep } from '../../src/views/timeline.js';
import { fixtures, root } from '../helpers/corpus.js';

const incident = join(fixtures, 'incident.scap');
const run = (...args: string[]) =>
  execFileSync(process.execPath, [join(root, 'bin/run.js'), 'timeline', ...args], {
    encoding: 'utf8',
    stdio: 'pipe',
  });

describe('parseStep', () => {
  it.each([
    ['1s', 1_000_000n],
    ['500ms', 500_000n],
    ['2.5s', 2_500_000n],
    ['1m', 60_000_000n],
    ['1h', 3_600_000_000n],
    ['7us', 7n],
  ])('%s', (text, step) => {
    expect(parseStep(text)).toBe(step);
    expect(parseStep(stepText(step))).toBe(step);
  });

  it.each(['1', 's', '0s', '-1s', '1d', '0.1us', ''])('refuses %s', (text) => {
    expect(() => parseStep(text)).toThrow(/expected a time with its unit/);
  });
});

describe('usualStep', () => {
  it.each([
    [12_000_000_000n, 30, 500_000n],
    [400_000_000n, 60, 10_000n],
    [0n, 30, 1n],
    [86_400_000_000_000n, 30, 5_000_000_000n],
  ])('%s ns in %s steps', (span, steps, expected) => {
    expect(usualStep(span, steps)).toBe(expected);
  });
});

it('bounds the number of steps', () => {
  const span = { first: 0n, last: 10_000_000_000n };
  expect(() => timelineStatement(1n, span)).toThrow(
    '--step 1us: the capture has 10000000 such steps, at most 100000 are possible; choose a longer one',
  );
});

describe('sfkit timeline', () => {
  it('has equal steps without gaps', () => {
    const rows = JSON.parse(run(incident, '--step', '10ms', '-f', 'json')) as Record<
      string,
      number | string
    >[];
    const starts = rows.map(({ start }) => Date.parse(start as string));
    expect(
      starts.every((start, index) => index === 0 || start - (starts[index - 1] as number) === 10),
    ).toBe(true);
    expect(rows.some(({ clones }) => clones === 0)).toBe(true);
    const sum = (name: string) => rows.reduce((total, row) => total + Number(row[name]), 0);
    expect([sum('execs'), sum('file_events')]).toEqual([10, 3]);
  });

  it('draws bars of the same width for each kind', () => {
    const [head, ...lines] = run(incident, '-f', 'bars', '--step', '10ms').trimEnd().split('\n');
    expect(head).toMatch(/^2026-.*Z to 2026-.*Z, 10ms for each bar$/);
    expect(lines.length).toBe(10);
    expect(new Set(lines.map((line) => line.indexOf('  max '))).size).toBe(1);
    expect(lines[1]).toMatch(/^execs .*█.* max 2$/);
  });
});
