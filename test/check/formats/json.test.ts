import { describe, expect, it } from 'vitest';
import {
  dangersIn,
  finding,
  hostileFindings,
  manyFindings,
  report,
  rule,
  written,
} from '../../helpers/findings.js';

describe('JSON', () => {
  it('has findings, rules, suppressions, captures and diagnostics', async () => {
    const findings = [
      finding({ suppression: { reason: 'known', location: { file: 's.yaml', line: 1 } } }),
    ];
    const blind = rule(finding({ rule: 'Blind' }));
    const text = await written(
      'json',
      findings,
      report(findings, {
        rules: [{ rule: blind, state: 'unevaluated', reason: 'no names', matches: 0, leftOut: 0 }],
        failed: [{ capture: 'x.scap', message: 'gone' }],
      }),
    );
    const parsed = JSON.parse(text);
    expect(parsed.findings).toEqual(findings);
    expect(parsed.rules[1]).toMatchObject({
      rule: 'Blind',
      state: 'unevaluated',
      reason: 'no names',
    });
    expect(parsed.captures).toHaveLength(2);
    expect(Object.keys(parsed)).toEqual([
      'findings',
      'rules',
      'suppressions',
      'captures',
      'diagnostics',
      'notes',
    ]);
  });

  it.each(['json', 'jsonl'])('%s has all of 30,000 findings', async (format) => {
    const findings = manyFindings(30_000);
    const text = await written(format, findings);
    const read =
      format === 'json'
        ? JSON.parse(text).findings
        : text
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line));
    expect(read).toEqual(findings);
  });

  it.each(['json', 'jsonl'])(
    '%s makes captured text inert without changing its meaning',
    async (format) => {
      const findings = hostileFindings();
      const text = await written(format, findings);
      expect(dangersIn(text)).toEqual([]);
      const read =
        format === 'json'
          ? JSON.parse(text).findings
          : text
              .trimEnd()
              .split('\n')
              .map((line) => JSON.parse(line));
      expect(read).toEqual(findings);
    },
  );
});
