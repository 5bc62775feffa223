import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { check, type RuleBook } from '../../../src/check/check.js';
import { falco } from '../../../src/check/falco/falco.js';
import type { RuleText } from '../../../src/check/language.js';
import { root } from '../../helpers/corpus.js';
import {
  type Alert,
  corpusRules,
  hasTruth,
  loaderCases,
  oldAlerts,
  truthAlerts,
  truthCaptures,
} from './truth.js';

// Compares the findings in captures with the alerts of the Falco engine. alert-differences.json
// lists kinds of differences with reason and count. SFKIT_UPDATE_GOLDEN=1 updates the counts; a
// difference of no known kind still fails.

const three = ['falco_rules.yaml', 'falco-incubating_rules.yaml', 'falco-sandbox_rules.yaml'];

interface RuleUse {
  files: string[];
  /** Evaluate also rules that are disabled in their files. */
  everyRule: boolean;
  ruleMatching: 'first' | 'all';
}

const sets: Record<string, RuleUse> = {
  'all-enabled.all': { files: three, everyRule: true, ruleMatching: 'all' },
  'default.first': { files: three, everyRule: false, ruleMatching: 'first' },
  'stable.first': { files: three.slice(0, 1), everyRule: false, ruleMatching: 'first' },
  'legacy-1.0.1.all': {
    files: ['legacy_falco_rules-1.0.1.yaml'],
    everyRule: true,
    ruleMatching: 'all',
  },
  'cicd.all': {
    files: ['falco_rules.yaml', 'falco_cicd_rules.yaml'],
    everyRule: true,
    ruleMatching: 'all',
  },
};

interface Kind {
  why: string;
  /**
   * missing: only in the engine; extra: only in sfkit; output: in both, except for `values`
   * (regular expressions).
   */
  difference: 'missing' | 'extra' | 'output';
  captures: string[];
  /** Default: all rules. */
  rules?: string[];
  values?: string[];
  /** Total of all sets. */
  count: number;
}

const differencesFile = join(root, 'test', 'check', 'falco', 'alert-differences.json');
const kinds = JSON.parse(readFileSync(differencesFile, 'utf8')) as Kind[];

function load(files: RuleText[]): RuleBook {
  const loaded = falco.load(files);
  const { rules, diagnostics } = loaded;
  return { sets: [loaded], rules, diagnostics, notes: [] };
}

async function found(
  path: string,
  book: RuleBook,
  { everyRule, ruleMatching }: Omit<RuleUse, 'files'>,
): Promise<Alert[]> {
  const switches = everyRule ? [{ enabled: true, rules: '*' }] : [];
  const alerts: Alert[] = [];
  for await (const { ts, tid, eventType, rule, output } of check(path, {
    rules: book,
    ruleMatching,
    all: true,
    switches,
  }))
    alerts.push({ key: `${ts} ${tid} ${eventType} ${rule}`, rule, output });
  return alerts;
}

/**
 * Differences in the alerts of a capture, one line each. Counts those that a kind explains instead.
 */
function unexplained(capture: string, theirs: Alert[], ours: Alert[], counts: number[]): string[] {
  const lines: string[] = [];
  const explain = (
    difference: Kind['difference'],
    rule: string,
    isSame: (values: string[]) => boolean,
  ) => {
    const index = kinds.findIndex(
      (kind) =>
        kind.difference === difference &&
        kind.captures.includes(capture) &&
        (kind.rules === undefined || kind.rules.includes(rule)) &&
        isSame(kind.values ?? []),
    );
    if (index >= 0) counts[index] = (counts[index] ?? 0) + 1;
    return index >= 0;
  };
  const rest = new Map<string, Alert[]>();
  for (const alert of ours) rest.set(alert.key, [...(rest.get(alert.key) ?? []), alert]);
  const differing: [Alert, Alert[]][] = [];
  for (const alert of theirs) {
    const same = rest.get(alert.key) ?? [];
    const index = same.findIndex(({ output }) => output === alert.output);
    if (index >= 0) same.splice(index, 1);
    else differing.push([alert, same]);
  }
  for (const [alert, same] of differing) {
    const other = same.shift();
    if (other === undefined) {
      if (!explain('missing', alert.rule, () => true))
        lines.push(`missing ${alert.key}: ${alert.output}`);
    } else {
      const isSame = (values: string[]) =>
        without(alert.output, values) === without(other.output, values);
      if (!explain('output', alert.rule, isSame))
        lines.push(`output ${alert.key}:\n  theirs ${alert.output}\n  ours   ${other.output}`);
    }
  }
  for (const alert of [...rest.values()].flat()) {
    if (!explain('extra', alert.rule, () => true))
      lines.push(`extra ${alert.key}: ${alert.output}`);
  }
  return lines;
}

function without(output: string, values: string[]): string {
  return values.reduce((text, value) => text.replaceAll(new RegExp(value, 'g'), ''), output);
}

describe.skipIf(!hasTruth)('alerts equal those of the Falco engine (needs ../shared)', () => {
  const counts: number[] = kinds.map(() => 0);

  it.each(Object.entries(sets))('%s', { timeout: 600_000 }, async (set, use) => {
    const book = load(use.files.map((file) => corpusRules(join('rules', file))));
    const lines: string[] = [];
    for (const { name, path } of truthCaptures(set)) {
      const alerts = await found(path, book, use);
      const theirs = truthAlerts(set, name);
      if (name.startsWith('triggers')) expect(alerts, name).toEqual(theirs);
      else
        lines.push(...unexplained(name, theirs, alerts, counts).map((line) => `${name} ${line}`));
    }
    expect(lines).toEqual([]);
  });

  it('except for the explained differences', () => {
    const now = kinds.map((kind, index) => ({ ...kind, count: counts[index] }));
    if (process.env.SFKIT_UPDATE_GOLDEN)
      writeFileSync(differencesFile, `${JSON.stringify(now, undefined, 2)}\n`);
    expect(now).toEqual(JSON.parse(readFileSync(differencesFile, 'utf8')));
    expect(kinds.filter((_, index) => counts[index] === 0)).toEqual([]);
  });

  it('for the rule files of the loader cases', { timeout: 600_000 }, async () => {
    const cases = new Map(loaderCases('cases').map((one) => [one.name, one]));
    const books = new Map<string, RuleBook>();
    for (const { name, path, ruleMatching, alerts } of oldAlerts()) {
      const book = books.get(name) ?? load(cases.get(name)?.files ?? []);
      books.set(name, book);
      expect(
        await found(path, book, { everyRule: false, ruleMatching }),
        `${name} ${path}`,
      ).toEqual(alerts);
    }
    expect(books.size).toBeGreaterThan(30);
  });
});
