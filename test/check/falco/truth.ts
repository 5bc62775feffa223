import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { corpus } from '../../helpers/corpus.js';

// Results of the Falco engine for rule files and captures. Tests that use them are skipped if
// ../shared is missing.

const rules = join(corpus, 'rules');
export const hasTruth = existsSync(join(rules, 'truth', 'falco'));

export interface RuleText {
  name: string;
  content: string;
}

/** A rule file of the corpus. */
export function corpusRules(name: string): RuleText {
  return { name, content: readFileSync(join(rules, 'falco', name), 'utf8') };
}

interface TruthDiagnostic {
  code: string;
  /** The last two contexts: kind, name and line (from 0). */
  at: [kind: string, name: string, line: number][];
}

export interface LoaderCase {
  name: string;
  files: RuleText[];
  result: {
    ok: boolean;
    loads: { file: string; errors: TruthDiagnostic[]; warnings: TruthDiagnostic[] }[];
    rules?: {
      name: string;
      priority: string;
      enabled: boolean;
      tags: string[];
      output: string;
      condition: string;
    }[];
    macros?: { name: string; condition: string; used: boolean }[];
    lists?: { name: string; items: string[]; used: boolean }[] | null;
    enabled_count?: number;
  };
}

export function loaderCases(name: 'cases' | 'probes'): LoaderCase[] {
  if (!hasTruth) return [];
  return readFileSync(join(rules, 'truth', 'falco-loader', `${name}.jsonl`), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LoaderCase);
}

/** The captures of a set, by name: the group and the capture's name, as in modern.a_files. */
export function truthCaptures(set: string): { name: string; path: string }[] {
  const directory = join(rules, 'truth', 'falco', set);
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .map((file) => file.replace('.jsonl.gz', ''))
    .map((name) => ({ name, path: capturePath(name) }));
}

function capturePath(name: string): string {
  if (name.startsWith('triggers')) return join(rules, 'captures', `${name}.scap`);
  const dot = name.indexOf('.');
  const path = join(corpus, name.slice(0, dot), name.slice(dot + 1));
  return [`${path}.scap`, `${path}.scap.gz`, path].find(existsSync) ?? path;
}

export interface Alert {
  /** Time, thread, event type and rule. */
  key: string;
  rule: string;
  output: string;
}

function linesOf(path: string): string[] {
  return gunzipSync(readFileSync(path))
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** The alerts of a capture in a set. */
export function truthAlerts(set: string, name: string): Alert[] {
  return linesOf(join(rules, 'truth', 'falco', set, `${name}.jsonl.gz`)).map((line) => {
    // Times have too many digits for a JavaScript number.
    const alert = JSON.parse(line.replace(/"ts":(\d+)/, '"ts":"$1"'));
    const { ts, tid, type, rule, output } = alert as Record<string, string>;
    return { key: `${ts} ${tid} ${type} ${rule}`, rule: String(rule), output: String(output) };
  });
}

/** The alerts for the rules of the Falco engine's own tests, by the names of the loader's cases. */
export function oldAlerts(): {
  name: string;
  path: string;
  ruleMatching: 'first' | 'all';
  alerts: Alert[];
}[] {
  return linesOf(join(rules, 'truth', 'falco', 'old-tests', 'alerts.jsonl.gz')).map((line) => {
    const one = JSON.parse(line.replaceAll(/", (\d{19}), /g, '", "$1", ')) as {
      case: string;
      capture: string;
      matching: 'first' | 'all';
      alerts: [
        rule: string,
        priority: string,
        ts: string,
        tid: number,
        type: string,
        output: string,
      ][];
    };
    return {
      name: one.case,
      path: capturePath(`falco.${one.capture}`),
      ruleMatching: one.matching,
      alerts: one.alerts.map(([rule, , ts, tid, type, output]) => ({
        key: `${ts} ${tid} ${type} ${rule}`,
        rule,
        output,
      })),
    };
  });
}
