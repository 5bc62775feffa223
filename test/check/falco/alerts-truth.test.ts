import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { check } from '../../../src/check/check.js';
import { falco } from '../../../src/check/falco/falco.js';
import { root } from '../../helpers/corpus.js';
import { corpusRules, hasTruth, truthCaptures, truthLines } from './truth.js';

const three = ['falco_rules.yaml', 'falco-incubating_rules.yaml', 'falco-sandbox_rules.yaml'];

/** Files, and whether every rule takes part. */
const sets: Record<string, { files: string[]; everyRule: boolean; ruleMatching: 'first' | 'all' }> = {
  'all-enabled.all': { files: three, everyRule: true, ruleMatching: 'all' },
  'default.first': { files: three, everyRule: false, ruleMatching: 'first' },
  'stable.first': { files: three.slice(0, 1), everyRule: false, ruleMatching: 'first' },
  'legacy-1.0.1.all': { files: ['legacy_falco_rules-1.0.1.yaml'], everyRule: true, ruleMatching: 'all' },
  'cicd.all': { files: ['falco_rules.yaml', 'falco_cicd_rules.yaml'], everyRule: true, ruleMatching: 'all' },
};

/** Why alerts differ. Each entry is about so many alerts as `count` says, in all sets. */
interface Explanation {
  reason: string;
  /** missing: theirs alone; extra: ours alone; output: both, with other values of `values` (NAME=VALUE in the output). */
  kind: 'missing' | 'extra' | 'output';
  captures: string[];
  rules: string[];
  values?: string[];
  count: number;
}

const differencesFile = join(root, 'test', 'check', 'falco', 'alert-differences.json');
const explanations = JSON.parse(readFileSync(differencesFile, 'utf8')) as Explanation[];

interface Alert {
  key: string;
  rule: string;
  output: string;
}

async function ours(path: string, set: string): Promise<Alert[]> {
  const { files, everyRule, ruleMatching } = sets[set] as (typeof sets)[string];
  const loaded = falco.load(files.map((file) => corpusRules(join('rules', file))));
  const { rules, diagnostics } = loaded;
  const found = check(path, {
    rules: { sets: [loaded], rules, diagnostics, notes: [] },
    ruleMatching,
    all: true,
    switches: everyRule ? [{ enabled: true, rules: '*' }] : [],
  });
  const alerts: Alert[] = [];
  for await (const { ts, tid, eventType, rule, output } of found)
    alerts.push({ key: `${ts} ${tid} ${eventType} ${rule}`, rule, output });
  return alerts;
}

function theirs(set: string, capture: string): Alert[] {
  return truthLines(set, capture).map(({ ts, tid, type, rule, output }) => ({
    key: `${ts} ${tid} ${type} ${rule}`,
    rule: String(rule),
    output: String(output),
  }));
}

/** How they differ, one line each; what is explained is counted instead. */
function unexplained(capture: string, left: Alert[], right: Alert[], counts: number[]): string[] {
  const lines: string[] = [];
  const explain = (kind: Explanation['kind'], rule: string, isSame: (values: string[]) => boolean) => {
    const index = explanations.findIndex(
      (one) =>
        one.kind === kind && one.captures.includes(capture) && one.rules.includes(rule) && isSame(one.values ?? []),
    );
    if (index >= 0) counts[index] = (counts[index] ?? 0) + 1;
    return index >= 0;
  };
  const rest = new Map<string, Alert[]>();
  for (const alert of right) rest.set(alert.key, [...(rest.get(alert.key) ?? []), alert]);
  const differing: [Alert, Alert[]][] = [];
  for (const alert of left) {
    const same = rest.get(alert.key) ?? [];
    const index = same.findIndex(({ output }) => output === alert.output);
    if (index >= 0) same.splice(index, 1);
    else differing.push([alert, same]);
  }
  for (const [alert, same] of differing) {
    const other = same.shift();
    if (other === undefined) {
      if (!explain('missing', alert.rule, () => true)) lines.push(`missing ${alert.key}: ${alert.output}`);
    } else {
      const isSame = (values: string[]) => without(alert.output, values) === without(other.output, values);
      if (!explain('output', alert.rule, isSame))
        lines.push(`output ${alert.key}:\n  theirs ${alert.output}\n  ours   ${other.output}`);
    }
  }
  for (const alert of [...rest.values()].flat()) {
    if (!explain('extra', alert.rule, () => true)) lines.push(`extra ${alert.key}: ${alert.output}`);
  }
  return lines;
}

function without(output: string, values: string[]): string {
  return values.reduce((text, name) => text.replaceAll(new RegExp(`\\b${name}=[^ )]*`, 'g'), `${name}=`), output);
}

describe.skipIf(!hasTruth)('alerts are those of the original engine (needs ../shared)', () => {
  const counts: number[] = explanations.map(() => 0);

  it.each(Object.keys(sets))('%s', async (set) => {
    const lines: string[] = [];
    for (const { name, path } of truthCaptures(set))
      lines.push(
        ...unexplained(name, theirs(set, name), await ours(path, set), counts).map((line) => `${name} ${line}`),
      );
    expect(lines).toEqual([]);
  });

  it('but for so many that are explained', () => {
    expect(explanations.map(({ reason }, index) => `${counts[index]}: ${reason}`)).toEqual(
      explanations.map(({ reason, count }) => `${count}: ${reason}`),
    );
  });

  it.each(['triggers', 'triggers-pair'])('none of the capture %s differs', async (capture) => {
    const about = explanations.filter(({ captures }) => captures.includes(capture));
    expect(about).toEqual([]);
    for (const set of Object.keys(sets)) {
      const path = truthCaptures(set).find(({ name }) => name === capture)?.path as string;
      expect(await ours(path, set), set).toEqual(theirs(set, capture));
    }
  });
});
