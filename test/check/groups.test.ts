import { describe, expect, it } from 'vitest';
import { FindingGroups, LeadingFindings } from '../../src/check/groups.js';
import { finding, manyFindings } from '../helpers/findings.js';

const suppression = { reason: 'known', location: { file: 's', line: 1 } };

describe('findings by rule', () => {
  it('are counted, with the first unsuppressed ones as examples', () => {
    const groups = new FindingGroups(2);
    const all = [
      finding({ suppression }),
      ...[1, 2, 3].map((count) => finding({ count, output: `${count}` })),
      finding({ rule: 'Worse', level: 'alert' }),
      finding({ rule: 'Known', level: 'emergency', suppression }),
    ];
    for (const one of all) groups.add(one);
    expect(
      groups
        .sorted()
        .map(({ rule, findings, events, suppressed }) => [rule, findings, events, suppressed]),
    ).toEqual([
      ['Worse', 1, 1, 0],
      ['Shell in container', 3, 6, 1],
    ]);
    expect(groups.sorted()[1]?.examples.map(({ output }) => output)).toEqual(['1', '2']);
  });

  it('are separate if rules share their name', () => {
    const groups = new FindingGroups(1);
    groups.add(finding());
    groups.add(finding({ language: 'sigma' }));
    groups.add(finding({ location: { file: 'other.yaml', line: 7 } }));
    expect(groups.sorted()).toHaveLength(3);
  });
});

describe('the leading findings', () => {
  const leading = (limit: number, findings: Parameters<LeadingFindings['add']>[0][]) => {
    const taken = new LeadingFindings(limit);
    for (const one of findings) taken.add(one);
    return taken;
  };

  it('are the most severe, and the first of each rule before the second of any', () => {
    const noisy = Array.from({ length: 5 }, (_, index) =>
      finding({ rule: 'Noisy', output: `noisy ${index}` }),
    );
    const taken = leading(4, [
      finding({ level: 'debug' }),
      ...noisy,
      finding({ rule: 'Rare' }),
      finding({ level: 'error' }),
    ]);
    expect(taken.items().map(({ rule, level }) => `${level} ${rule}`)).toEqual([
      'error Shell in container',
      'warning Noisy',
      'warning Rare',
      'warning Noisy',
    ]);
    expect(taken.total).toBe(8);
  });

  it('are unsuppressed before suppressed ones', () => {
    const taken = leading(2, [
      finding({ level: 'alert', suppression }),
      finding({ level: 'debug' }),
    ]);
    expect(taken.items().map(({ level }) => level)).toEqual(['debug', 'alert']);
  });

  it('are the same whether they are trimmed once or often', () => {
    const many = manyFindings(9000);
    const sorted = leading(9000, many).items();
    expect(leading(10, many).items()).toEqual(sorted.slice(0, 10));
  });
});
