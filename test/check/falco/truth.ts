import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { corpus } from '../../helpers/corpus.js';

// What the original engine says of rules files and captures, for tests that are skipped where it is not there.

const rules = join(corpus, 'rules');
export const hasTruth = existsSync(join(rules, 'truth', 'falco'));

export interface RuleText {
  name: string;
  content: string;
}

/** A rules file of the corpus. */
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
    rules?: { name: string; priority: string; enabled: boolean; tags: string[]; output: string; condition: string }[];
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

/** The lines of a capture's answers in a set, times as text. */
export function truthLines(set: string, name: string): Record<string, unknown>[] {
  const path = join(rules, 'truth', 'falco', set, `${name}.jsonl.gz`);
  return gunzipSync(readFileSync(path))
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line.replace(/"ts":(\d+)/, '"ts":"$1"')) as Record<string, unknown>);
}
