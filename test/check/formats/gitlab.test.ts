import { describe, expect, it } from 'vitest';
import {
  dangersIn,
  finding,
  hostileFindings,
  manyFindings,
  written,
} from '../../helpers/findings.js';

describe('Code Quality of GitLab', () => {
  it('has the properties that GitLab requires', async () => {
    expect(JSON.parse(await written('gitlab', []))).toEqual([]);
    expect(
      JSON.parse(
        await written('gitlab', [
          finding({ id: 'abc', location: { file: './rules/own.yaml', line: 7 } }),
        ]),
      ),
    ).toEqual([
      {
        description: 'Shell in container: Shell in container (command=sh -c id)',
        check_name: 'Shell in container',
        fingerprint: 'abc',
        severity: 'major',
        location: { path: 'rules/own.yaml', lines: { begin: 7 } },
      },
    ]);
  });

  it('has a severity for each level', async () => {
    const levels = [
      'emergency',
      'critical',
      'error',
      'high',
      'warning',
      'medium',
      'notice',
      'low',
      'debug',
    ];
    const issues = JSON.parse(
      await written(
        'gitlab',
        levels.map((level) => finding({ level })),
      ),
    );
    expect(issues.map(({ severity }: { severity: string }) => severity)).toEqual([
      ...['blocker', 'blocker', 'critical', 'critical', 'major', 'major', 'minor', 'minor', 'info'],
    ]);
  });

  it('has a unique fingerprint for each of 30,000 findings', async () => {
    const same = manyFindings(30_000, () => 'the same');
    const issues = JSON.parse(await written('gitlab', same)) as { fingerprint: string }[];
    expect(new Set(issues.map(({ fingerprint }) => fingerprint)).size).toBe(30_000);
  });

  it('names the author of a rule even if texts are long', async () => {
    const [issue] = JSON.parse(
      await written('gitlab', [finding({ author: 'Ana', output: 'o'.repeat(3000) })]),
    );
    expect(issue.description).toMatch(/^Shell in container: o+… \(rule by Ana\)$/);
    expect(issue.description).toHaveLength(1024);
  });

  it('leaves out suppressed findings and makes captured text inert', async () => {
    const suppression = { reason: 'known', location: { file: 's', line: 1 } };
    expect(await written('gitlab', [finding({ suppression })])).toBe('[]\n');
    const text = await written('gitlab', hostileFindings());
    expect(dangersIn(text)).toEqual([]);
    for (const { description } of JSON.parse(text)) {
      expect(description.length).toBeLessThanOrEqual(1024);
      expect(dangersIn(description)).toEqual([]);
    }
  });
});
