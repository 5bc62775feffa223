import { describe, expect, it } from 'vitest';
import { textWidth } from '../../../src/draw/width.js';
import {
  dangersIn,
  finding,
  hostileFindings,
  manyFindings,
  written,
} from '../../helpers/findings.js';

describe('the table of findings', () => {
  it('has the rules, the most severe first, then examples of each', async () => {
    const findings = [
      finding({ rule: 'Less', level: 'notice' }),
      ...Array.from({ length: 5 }, () =>
        finding({ level: 'critical', count: 2, lastTs: '1700000009000000000' }),
      ),
    ];
    expect(
      await written('table', findings),
    ).toBe(`┌──────────┬────────────────────┬──────────┬────────┐
│ level    │ rule               │ findings │ events │
├──────────┼────────────────────┼──────────┼────────┤
│ critical │ Shell in container │        5 │     10 │
│ notice   │ Less               │        1 │      1 │
└──────────┴────────────────────┴──────────┴────────┘

critical: Shell in container
  rule of rules/own.yaml:7
${example('  times:      2, last 2023-11-14T22:13:29.000000000Z\n').repeat(3)}  and 2 more (--all, --format jsonl)

notice: Less
  rule of rules/own.yaml:7
${example('')}`);
  });

  it('has every finding with --all', async () => {
    const text = await written('table', manyFindings(600), undefined, { all: true });
    expect(text.match(/ {2}output: /g)).toHaveLength(600);
  });

  it('fits a screen of 80 columns', async () => {
    const findings = [
      finding({ output: 'word '.repeat(100), rule: 'A long name of a rule '.repeat(5) }),
      ...hostileFindings(),
    ];
    const text = await written('table', findings, undefined, {
      screen: { columns: 80, rows: 24, color: false },
    });
    for (const line of text.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(80);
  });

  it('has the evidence of a finding, its own event marked with *, and record numbers', async () => {
    const evidence = [1, 2].map((number) => ({
      number,
      ts: `${number}`,
      eventType: 'read',
      text: `read ${number}`,
    }));
    const text = await written('table', [
      finding({ ts: '2', evidence, language: 'sigma', eventNumber: 9 }),
    ]);
    expect(text).toContain('  event:      1 read 1\n  event:      2 * read 2\n');
    expect(text).toContain('execve, record 9 of build.scap');
  });

  it('truncates texts too long to read', async () => {
    const long = finding({ rule: 'r'.repeat(5000), output: 'o'.repeat(5000) });
    const lines = (await written('table', [long])).trimEnd().split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(4002);
    expect(lines.at(-1)).toMatch(/^ {2}output: {5}o+…$/);
  });

  it('reports that there are no findings', async () => {
    expect(await written('table', [])).toBe('no findings\n');
  });

  it('leaves out suppressed findings', async () => {
    const suppression = { reason: 'known', location: { file: 's', line: 1 } };
    expect(await written('table', [finding({ suppression })])).not.toContain('Shell');
  });

  it('shows captured text after labels', async () => {
    const text = await written('table', hostileFindings());
    expect(dangersIn(text)).toEqual([]);
    for (const line of text.split('\n').slice(7, -1))
      expect(line).toMatch(/^(- | {2})(\w+: |rule of rules\/own|and )/);
  });
});

const example = (
  more: string,
) => `- time:       2023-11-14T22:13:20.123456789Z, execve, event 41 of build.scap
  process:    sh 312 < nginx 7 (ana)
  command:    sh -c id
  container:  web of shop/web
${more}  output:     Shell in container (command=sh -c id)
`;
