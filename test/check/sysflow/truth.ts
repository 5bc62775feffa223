import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Finding } from '../../../src/check/finding.js';
import type { RuleText } from '../../../src/check/language.js';
import { corpus } from '../../helpers/corpus.js';

// Results of the SysFlow processor for SysFlow files. Tests that use them are skipped if ../shared
// is missing.

const rules = join(corpus, 'rules');
export const hasTruth = existsSync(join(rules, 'truth', 'sysflow'));

function truthLines<Line>(name: string): Line[] {
  if (!hasTruth) return [];
  const bytes = readFileSync(join(rules, 'truth', 'sysflow', name));
  const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line.replace(/"ts": (\d+)/, '"ts": "$1"')) as Line);
}

export interface RuleTruth {
  n: number;
  fnv1a: string;
  priority?: number;
}

/** Results of each rule, by policy and file. */
export function ruleTruths(): Map<string, Map<string, Map<string, RuleTruth>>> {
  const truths = new Map<string, Map<string, Map<string, RuleTruth>>>();
  const put = (policy: string, file: string, rule: string, truth: RuleTruth) => {
    const files = truths.get(policy) ?? new Map<string, Map<string, RuleTruth>>();
    truths.set(policy, files);
    const found = files.get(file) ?? new Map<string, RuleTruth>();
    files.set(file, found);
    found.set(rule, truth);
  };
  type Probe = { policy: string; file: string; rules: Record<string, RuleTruth> };
  for (const { policy, file, rules: found } of truthLines<Probe>('probes.jsonl.gz'))
    for (const [rule, truth] of Object.entries(found)) put(policy, file, rule, truth);
  type UnitTest = RuleTruth & { policy: string; file: string; rule: string };
  for (const { policy, file, rule, ...truth } of truthLines<UnitTest>('unit-tests.jsonl'))
    put(policy, file, rule, truth);
  return truths;
}

interface RecordLine {
  sf: string;
  ts: string;
  type: string;
  pid: number;
  tid: number;
  policies: { id: string; priority: number }[];
}

/** Records that a policy reported, as lines, by file. */
export function recordTruths(policy: string): Map<string, string[]> {
  const records = new Map<string, string[]>();
  for (const [set, folder] of [
    ['corpus', ''],
    ['traces', 'traces/'],
  ]) {
    for (const { sf, ts, type, pid, tid, policies } of truthLines<RecordLine>(
      `${policy}.${set}.jsonl.gz`,
    )) {
      const lines = records.get(`${folder}${sf}`) ?? [];
      records.set(`${folder}${sf}`, lines);
      const names = policies.map(({ id, priority }) => `${id} ${priority}`).sort();
      lines.push(`${ts} ${type} ${pid ?? 0} ${tid ?? 0} ${names.join('|')}`);
    }
  }
  return records;
}

const priorities: Readonly<Record<string, number>> = { low: 1, medium: 2, high: 3 };

/** The same lines for findings. */
export function recordLines(findings: readonly Finding[]): string[] {
  const byRecord = new Map<number, Finding[]>();
  for (const finding of findings) {
    const others = byRecord.get(finding.eventNumber) ?? [];
    byRecord.set(finding.eventNumber, others);
    others.push(finding);
  }
  return [...byRecord]
    .sort(([one], [other]) => one - other)
    .map(([, found]) => {
      const names = found.map(({ rule, level }) => `${rule} ${priorities[level]}`).sort();
      return `${recordKey(found[0] as Finding)} ${names.join('|')}`;
    });
}

export function recordKey({ ts, eventType, pid = 0, tid }: Finding): string {
  return `${ts} ${eventType.split(' ', 1)[0]} ${pid} ${tid}`;
}

export function policyText(path: string): RuleText {
  return { name: path, content: readFileSync(join(rules, 'sysflow', path), 'utf8') };
}

/** The files of a policy: one, or those of its directory. */
export function policyFiles(policy: string): RuleText[] {
  if (policy === 'probes' || policy === 'filter') return [policyText(`probes/${policy}.yaml`)];
  if (policy.startsWith('unit_test')) return [policyText(`policies/tests/${policy}.yaml`)];
  const directory = join('policies', policy);
  return readdirSync(join(rules, 'sysflow', directory))
    .sort()
    .map((name) => policyText(join(directory, name)));
}

export function recordsPath(file: string): string {
  return file.startsWith('traces/') ? join(rules, 'sysflow', file) : join(corpus, file);
}

/** Names of operations in the processor's order, for a record type. */
export function operationsText(eventType: string, type: string): string {
  const has = new Set(eventType.split(' ')[1]?.split('|'));
  return order
    .filter((name) => has.has(name))
    .map((name) =>
      name === 'WRITE_SEND'
        ? pick(type, 'SEND', 'WRITE')
        : name === 'READ_RECV'
          ? pick(type, 'RECV', 'READ')
          : name,
    )
    .join(',');
}

function pick(type: string, ofConnection: string, ofFile: string): string {
  return type === 'NF' ? ofConnection : ofFile;
}

const order = [
  ...[
    'MKDIR',
    'RMDIR',
    'LINK',
    'SYMLINK',
    'UNLINK',
    'RENAME',
    'CLONE',
    'EXEC',
    'EXIT',
    'SETUID',
    'OPEN',
    'ACCEPT',
  ],
  ...[
    'CONNECT',
    'CLOSE',
    'WRITE_SEND',
    'READ_RECV',
    'SETNS',
    'MMAP',
    'SHUTDOWN',
    'TRUNCATE',
    'DIGEST',
  ],
];

/** 64-bit FNV-1a with the offset that the reference hashes use. */
export function fnv1a(text: string): string {
  let hash = 0x14650fb0739d0383n;
  for (const byte of Buffer.from(text))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0');
}
