import { describe, expect, it } from 'vitest';
import { limitRemarks, remarksOf } from '../../src/check/remarks.js';
import { checkSummary, FindingCount, strictText } from '../../src/cli/check-summary.js';
import { finding, report, rule } from '../helpers/findings.js';

const blind = (name: string, state: 'matched' | 'unevaluated' = 'unevaluated') => ({
  ...{
    rule: rule(finding({ rule: name })),
    state,
    reason: 'no name server',
    matches: 0,
    leftOut: 0,
  },
});

describe('remarks of a run', () => {
  it('are empty if it saw everything', () => {
    expect(remarksOf(report([finding()]))).toEqual([]);
  });

  it('list rules that were evaluated in part or not at all', () => {
    const texts = remarksOf(report([], { rules: [blind('A'), blind('B', 'matched')] })).map(
      ({ text }) => text,
    );
    expect(texts).toEqual([
      'not evaluated: A (rules/own.yaml:7): no name server',
      'evaluated in part: B (rules/own.yaml:7): no name server',
    ]);
  });

  it('count the findings beyond the limit', () => {
    const [remark] = remarksOf(
      report([], { rules: [{ ...blind('A', 'matched'), leftOut: 2 }] }),
    ).slice(1);
    expect(remark?.text).toBe('left out: 2 matches of A after too many others');
  });

  it('are limited per kind', () => {
    const remarks = remarksOf(
      report([], { rules: Array.from({ length: 30 }, (_, index) => blind(`R${index}`)) }),
    );
    const short = limitRemarks(remarks, 3);
    expect(short.map(({ text }) => text)).toEqual([
      'not evaluated: R0 (rules/own.yaml:7): no name server',
      'not evaluated: R1 (rules/own.yaml:7): no name server',
      '28 more like these',
    ]);
    expect(limitRemarks(remarks, 30)).toEqual(remarks);
  });
});

describe('the summary of a check', () => {
  it('counts findings by level, and suppressed ones', () => {
    const count = new FindingCount();
    expect(count.text()).toBe('no findings');
    for (const level of ['notice', 'critical', 'notice']) count.add({ level });
    count.add({ level: 'alert', suppression: {} });
    expect(count.text()).toBe('3 findings: 1 critical, 2 notice; 1 suppressed');
    expect([count.reaches('alert'), count.reaches('critical'), count.reaches('debug')]).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('is inert', () => {
    const text = checkSummary(
      report([], {
        rules: [blind('\x1b ##[error]x')],
        failed: [{ capture: 'x', message: 'x: gone' }],
      }),
      new FindingCount(),
    );
    expect(text).toContain(
      'not evaluated: \\x1b #\\x23[error]x (rules/own.yaml:7): no name server\n',
    );
    expect(text).not.toContain('gone');
  });

  it('says why --strict fails', () => {
    expect(strictText(report([finding()]))).toBe('');
    expect(strictText(report([], { rules: [blind('A', 'matched')] }))).toBe(
      'sfkit: --strict: 1 rule could not be evaluated, or not in full\n',
    );
  });
});
