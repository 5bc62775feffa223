import { createHash } from 'node:crypto';
import type { FieldValue, Finding, FoundConnection, RuleLocation } from './finding.js';

// Identity of a finding, without anything that differs between two runs of the same workload:
// times, counters, process and thread ids, descriptors and client ports. Services use it to
// recognize a finding of an earlier run.

/** Words in the names of fields and columns whose values differ between runs. */
const volatileWords = new Set(
  [
    'num time datetime rawtime reltime latency deltatime duration ts endts createts ctime mtime cpu cnt count',
    'pid tid hpid vpid vtid ppid pvpid apid pgid vpgid sid nametid loginshellid processid parentprocessid oid ino inode',
    'vmsize vmrss vmswap pfmajor pfminor nthreads nchilds fdopencount fdusage rbytes wbytes rops wops',
    'cport cproto sport sourceport',
  ].flatMap((words) => words.split(' ')),
);

/** Process ids and kernel object numbers in paths: /proc/4711/maps, socket:[4711]. */
const numbersInPaths = /(\/(?:proc|task)\/)\d+|(\[)\d+(?=\])/g;

/** 32 hexadecimal digits, the same for the same finding in every run and on every machine. */
export function fingerprint(finding: Finding): string {
  const fields = Object.entries(finding.fields)
    .filter(([name]) => !isVolatile(name))
    .map(([name, value]) => [name, stable(name, value, finding.connection)])
    .sort(([one], [other]) => ((one as string) < (other as string) ? -1 : 1));
  const output = withoutNumbers(withoutClientPort(finding.output, finding.connection));
  const about = Object.keys(finding.fields).length > 0 ? fields : output;
  const text = JSON.stringify([finding.language, finding.rule, about]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/**
 * Assigns ids to the findings of a run: the fingerprint, and a number from its second occurrence
 * on.
 */
export class FindingIds {
  readonly #seen = new Map<string, number>();

  next(finding: Finding): string {
    const id = fingerprint(finding).slice(0, 16);
    const nth = (this.#seen.get(id) ?? 0) + 1;
    this.#seen.set(id, nth);
    return nth === 1 ? id : `${id}-${nth}`;
  }
}

/** Identifies a rule, even if another rule has the same name. */
export function ruleKey({
  rule,
  language,
  location,
}: {
  rule: string;
  language: string;
  location: RuleLocation;
}) {
  return JSON.stringify([language, rule, location.file, location.line]);
}

/** The first word of a name is its object: fd.name is not volatile, but the column fd is. */
function isVolatile(name: string): boolean {
  const words = name.toLowerCase().split(/[^a-z0-9]+/);
  if (words.length === 1) return words[0] === 'fd' || volatileWords.has(words[0] as string);
  // sport is the server's port, which is the same in every run.
  if (/^fd\.sport\b/.test(name)) return false;
  return words.slice(1).some((word) => volatileWords.has(word)) || /^fd\.uid\b/.test(name);
}

function stable(name: string, value: FieldValue, connection: FoundConnection | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => stable(name, item, connection));
  if (typeof value === 'string') return withoutNumbers(withoutClientPort(value, connection));
  const isPort = /(?:port|proto)$/.test(name) && value === connection?.client?.port;
  return isPort ? '#' : value;
}

/** Handles 10.0.0.7:40000->10.0.0.5:8080 and [fd00::7]:40000 to [fd00::5]:8080. */
function withoutClientPort(text: string, connection: FoundConnection | undefined): string {
  const { client } = connection ?? {};
  if (client === undefined) return text;
  const { ip, port } = client;
  return text.replaceAll(`[${ip}]:${port}`, ip).replaceAll(`${ip}:${port}`, ip);
}

function withoutNumbers(text: string): string {
  return text.replace(numbersInPaths, '$1$2#');
}
