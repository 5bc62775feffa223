import { describe, expect, it } from 'vitest';
import {
  dangersIn,
  finding,
  hostileFindings,
  hostileTexts,
  manyFindings,
  report,
  rule,
  written,
} from '../../helpers/findings.js';

/**
 * Splits a page into prose and code blocks, like Markdown: a block ends at a fence as long as its
 * first one.
 */
function partsOf(page: string): { prose: string[]; blocks: string[][] } {
  const prose: string[] = [];
  const blocks: string[][] = [];
  let fence = '';
  for (const line of page.split('\n')) {
    const ticks = /^ {0,3}(`{3,})/.exec(line)?.[1] ?? '';
    if (fence === '' && ticks !== '') {
      fence = ticks;
      blocks.push([]);
    } else if (fence !== '' && ticks.length >= fence.length && line.trim() === ticks) {
      fence = '';
    } else if (fence !== '') {
      blocks.at(-1)?.push(line);
    } else {
      prose.push(line);
    }
  }
  expect(fence).toBe('');
  return { prose, blocks };
}

const rowsOf = (prose: readonly string[]) => prose.filter((line) => line.startsWith('| ')).slice(2);

describe('the summary in Markdown', () => {
  it('has the count, then the rules, then examples', async () => {
    const findings = [
      finding({ rule: 'Less', level: 'notice' }),
      finding({ level: 'critical', count: 3 }),
    ];
    const page = await written('markdown', findings);
    expect(page).toMatch(/^## sfkit check: 2 findings \(1 critical, 1 notice\)\n/);
    expect(rowsOf(partsOf(page).prose)).toEqual([
      '| critical | <code>Shell in container</code> | 1 | 3 | <code>rules/own.yaml&#58;7</code> |',
      '| notice | <code>Less</code> | 1 | 1 | <code>rules/own.yaml&#58;7</code> |',
    ]);
    expect(partsOf(page).blocks).toHaveLength(2);
    expect(await written('markdown', [])).toMatch(/^## sfkit check: no findings\n/);
  });

  it('includes what the run could not see', async () => {
    const page = await written(
      'markdown',
      [],
      report([], {
        rules: [
          {
            rule: rule(finding({ rule: 'Blind' })),
            state: 'unevaluated',
            reason: 'no names',
            matches: 0,
            leftOut: 0,
          },
        ],
      }),
    );
    expect(page).toContain(
      '- <code>not evaluated&#58; Blind &#40;rules/own.yaml&#58;7&#41;&#58; no names</code>',
    );
  });

  it.each([1, 5000])(
    'stays below 1 MiB with 30,000 findings of %d rules per level',
    async (rules) => {
      const findings = manyFindings(30_000, () => '`|<&'.repeat(600)).map((one, index) => ({
        ...one,
        rule: `Rule ${index % (rules * 8)} ${'|'.repeat(200)}`,
        location: { file: 'rules/own.yaml', line: index % (rules * 8) },
        evidence: Array.from({ length: index < 3000 ? 60 : 0 }, (_, number) => ({
          number,
          ts: '1',
          eventType: 'read',
          text: '`'.repeat(400),
        })),
      }));
      const page = await written('markdown', findings);
      expect(Buffer.byteLength(page)).toBeLessThan(2 ** 20);
      expect(page).toContain('30,000 findings');
      if (rules > 1) expect(page).toMatch(/more rules with findings/);
      expect(page).toMatch(/The findings of \S+ more rules? do not fit here|and \d+ more/);
    },
  );

  it('has captured text only in code blocks, each line after a label', async () => {
    const page = await written(
      'markdown',
      hostileFindings().map((one, line) => ({ ...one, rule: `Rule ${line}` })),
    );
    expect(dangersIn(page)).toEqual([]);
    const { prose, blocks } = partsOf(page);
    expect(blocks).toHaveLength(hostileTexts.length);
    for (const line of blocks.flat())
      expect(line).toMatch(/^(time|process|command|container|file|connection|output|event): /);
    expect(prose.join('\n')).not.toMatch(/evil|script|pwned/);
  });

  it('has rule names and reasons without markup, links and mentions', async () => {
    for (const text of hostileTexts) {
      const found = finding({ rule: text, author: text, location: { file: text, line: 1 } });
      const blind = {
        rule: rule(found),
        state: 'unevaluated' as const,
        reason: text,
        matches: 0,
        leftOut: 0,
      };
      const page = await written('markdown', [found], report([found], { rules: [blind] }));
      expect(dangersIn(page)).toEqual([]);
      const { prose } = partsOf(page);
      expect(rowsOf(prose)).toHaveLength(1);
      expect(rowsOf(prose)[0]?.split('|')).toHaveLength(7);
      const plain = prose
        .slice(1)
        .filter((line) => !/^\| (level|---)/.test(line))
        .join('\n');
      expect(plain.replace(/<\/?code>|<!-- -->/g, '')).not.toMatch(
        /[<>`*_[\]()@~]|https?:\/\/|www\./,
      );
    }
  });
});
