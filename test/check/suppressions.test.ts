import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseSuppressions, readSuppressions, Suppressions } from '../../src/check/suppressions.js';
import { testDirectory } from '../helpers/directory.js';
import { finding, rule } from '../helpers/findings.js';

const directory = testDirectory();

const text = `# Accepted
- rule: Shell*
  condition: proc.name = sh
  reason: Our own script.
  expires: 2026-06-30
- rule: Shell in container
  reason: |
    All of it.
- {rule: 'Nosuch', reason: 5}
`;

describe('a file of suppressions', () => {
  it('has rules, conditions, reasons and expiry dates', () => {
    expect(parseSuppressions('s.yaml', text)).toEqual([
      {
        ...{
          rule: 'Shell*',
          condition: 'proc.name = sh',
          reason: 'Our own script.',
          expires: '2026-06-30',
        },
        location: { file: 's.yaml', line: 2 },
      },
      { rule: 'Shell in container', reason: 'All of it.', location: { file: 's.yaml', line: 6 } },
      { rule: 'Nosuch', reason: '5', location: { file: 's.yaml', line: 9 } },
    ]);
    expect(parseSuppressions('s.yaml', '')).toEqual([]);
    expect(parseSuppressions('s.yaml', '# nothing\n')).toEqual([]);
  });

  it.each([
    ['rule: x', 's.yaml:1:1: expected a list of suppressions'],
    ['- x', 's.yaml:1:3: expected a suppression'],
    ['- reason: x', "s.yaml:1:3: 'rule' is missing"],
    ['- rule: x', "s.yaml:1:3: 'reason' is missing"],
    ['- rule: x\n  reason: " "', "'reason' is missing"],
    ['- rule: x\n  reasons: y', "s.yaml:2:3: unknown key 'reasons'; did you mean 'reason'?"],
    ['- rule: [x]\n  reason: y', "s.yaml:1:3: 'rule' must be a text"],
    [
      '- rule: x\n  reason: y\n  expires: 2026-02-30',
      "'2026-02-30' is not a date; write it as 2027-01-31",
    ],
    ['- rule: x\n  reason: y\n  expires: tomorrow', "'tomorrow' is not a date"],
    ['- rule: x\n  reason: y\n  condition: proc.name', 's.yaml:1:3: condition, column 10: '],
    ['- rule: x\n   reason: y', 's.yaml:1:9: Nested mappings are not allowed in compact mappings'],
  ])('is rejected: %j', (content, message) => {
    expect(() => parseSuppressions('s.yaml', content)).toThrow(message);
  });

  it('is read, or fails with the reason', () => {
    const path = directory.path('s.yaml');
    writeFileSync(path, text);
    expect(readSuppressions(path)).toHaveLength(3);
    expect(() => readSuppressions(directory.path('none.yaml'))).toThrow(
      /^cannot read suppressions .*none\.yaml/,
    );
    writeFileSync(path, Buffer.alloc(2 ** 22 + 1));
    expect(() => readSuppressions(path)).toThrow('is not a suppression file');
  });
});

describe('suppressions', () => {
  const on = (day: string) => new Suppressions(parseSuppressions('s.yaml', text), day);
  const bash = finding({ process: { pid: 1, name: 'bash', ancestors: [] }, fields: {} });

  it('apply up to their last day', () => {
    expect(on('2026-06-30').find(finding())).toEqual({
      ...{ reason: 'Our own script.', expires: '2026-06-30' },
      location: { file: 's.yaml', line: 2 },
    });
    expect(on('2026-07-01').find(finding())).toEqual({
      reason: 'All of it.',
      location: { file: 's.yaml', line: 6 },
    });
    expect(on('2026-06-30').find(bash)?.reason).toBe('All of it.');
    expect(on('2026-06-30').find(finding({ rule: 'Other' }))).toBeUndefined();
    expect(() => on('today')).toThrow("'today' is not a date");
  });

  it.each([
    ['2026-06-30', ['used', 'used', 'unused'], [1, 1, 0]],
    ['2026-07-01', ['expired', 'used', 'unused'], [1, 2, 0]],
  ])('report their outcomes on %s', (day, states, counts) => {
    const suppressions = on(day);
    for (const one of [finding(), bash]) suppressions.count(one);
    const outcomes = suppressions.outcomes([rule(finding())]);
    expect(outcomes.map(({ state }) => state)).toEqual(states);
    expect(outcomes.map(({ findings }) => findings)).toEqual(counts);
    expect(outcomes.map(({ namesRule }) => namesRule)).toEqual([true, true, false]);
  });
});
