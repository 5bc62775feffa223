import { readFileSync, statSync } from 'node:fs';
import type { YAMLMap } from 'yaml';
import { reasonOf, SfkitError } from '../engine/errors.js';
import { nearest } from '../engine/nearest.js';
import type { Finding, Rule, RuleLocation, Suppressed } from './finding.js';
import { type FindingFilter, parseFindingFilter } from './finding-filter.js';
import { hasPattern } from './selection.js';
import { yamlPackage } from './yaml-package.js';

// Findings that are known and accepted: each entry of a file says which, why, and until when.

export interface Suppression {
  /** The name of a rule, or a pattern in which * stands for any text. */
  rule: string;
  /** Only findings of which this is true. Default: all of the rule. */
  condition?: string;
  reason: string;
  /** The last day on which it holds, as YYYY-MM-DD. Default: it always holds. */
  expires?: string;
  location: RuleLocation;
}

export interface SuppressionOutcome extends Suppression {
  /** unused: it fits no finding; expired: it does not hold any more. */
  state: 'used' | 'unused' | 'expired';
  /** Findings that it fits. */
  findings: number;
  /** Whether a rule has its name. */
  namesRule: boolean;
}

const keys = ['rule', 'condition', 'reason', 'expires'] as const;
const mostBytes = 2 ** 22;

/** Reads a file of suppressions. Throws INVALID_RULES with the place of what is wrong. */
export function readSuppressions(path: string): Suppression[] {
  return parseSuppressions(path, contentOf(path));
}

export function parseSuppressions(file: string, content: string): Suppression[] {
  const { isMap, isScalar, isSeq, LineCounter, parseDocument } = yamlPackage();
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, schema: 'failsafe', prettyErrors: false });
  const place = (offset: number | undefined) => lines.linePos(offset ?? 0);
  const refuse = (offset: number | undefined, message: string): never => {
    const { line, col } = place(offset);
    throw new SfkitError('INVALID_RULES', `${file}:${line}:${col}: ${message}`);
  };
  const [error] = document.errors;
  if (error !== undefined) refuse(error.pos[0], firstLine(error.message));
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return [];
  if (!isSeq(contents)) return refuse(0, 'a list of suppressions is expected: - rule: NAME');
  return contents.items.map((item) => {
    const at = (item as { range?: [number, number, number] }).range?.[0];
    if (!isMap(item)) return refuse(at, 'a suppression is expected: rule, reason, and condition and expires as needed');
    const texts = textsOf(item, refuse);
    const location = { file, line: place(at).line };
    const { rule, reason, condition, expires } = texts;
    if (rule === undefined) return refuse(at, "'rule' is missing: the name of a rule, or a pattern with *");
    if (reason === undefined || reason.trim() === '')
      return refuse(at, "'reason' is missing: why these findings are accepted");
    if (expires !== undefined && !isDate(expires)) return refuse(at, `'${expires}' is no date; write it as 2027-01-31`);
    const wrong = condition === undefined ? undefined : faultOf(condition);
    if (wrong !== undefined) return refuse(at, wrong);
    return {
      rule,
      reason: reason.trim(),
      location,
      ...(condition === undefined ? {} : { condition }),
      ...(expires === undefined ? {} : { expires }),
    };
  });
}

/** What is wrong with a condition. */
function faultOf(condition: string): string | undefined {
  try {
    parseFindingFilter(condition);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function textsOf(
  item: YAMLMap,
  refuse: (offset: number | undefined, message: string) => never,
): Partial<Record<(typeof keys)[number], string>> {
  const { isScalar } = yamlPackage();
  const texts: Partial<Record<(typeof keys)[number], string>> = {};
  for (const { key, value } of item.items) {
    const at = (key as { range?: [number, number, number] }).range?.[0];
    const name = isScalar(key) ? String(key.value) : '';
    const known = keys.find((one) => one === name);
    if (known === undefined) {
      const likely = nearest(name, keys);
      return refuse(
        at,
        `'${name}' is not known here; ${likely ? `did you mean '${likely}'?` : `it is one of ${keys.join(', ')}`}`,
      );
    }
    if (!isScalar(value) || value.value === null) return refuse(at, `'${name}' is a text`);
    texts[known] = String(value.value);
  }
  return texts;
}

interface Held {
  suppression: Suppression;
  fits: FindingFilter;
  isExpired: boolean;
  findings: number;
}

/** Suppressions at work on one day. */
export class Suppressions {
  readonly #held: Held[];

  /** `today` is the day of the run, as YYYY-MM-DD. */
  constructor(suppressions: readonly Suppression[], today: string) {
    if (!isDate(today)) throw new SfkitError('INVALID_ARGUMENT', `'${today}' is no date; write it as 2027-01-31`);
    this.#held = suppressions.map((suppression) => ({
      suppression,
      fits: suppression.condition === undefined ? () => true : parseFindingFilter(suppression.condition),
      isExpired: suppression.expires !== undefined && suppression.expires < today,
      findings: 0,
    }));
  }

  /** What the first suppression that fits says; undefined where the finding counts. */
  find(finding: Finding): Suppressed | undefined {
    const held = this.#fitting(finding).find(({ isExpired }) => !isExpired);
    return held && suppressedBy(held.suppression);
  }

  /** Notes which suppressions fit a finding, for outcomes(). */
  count(finding: Finding): void {
    const fitting = this.#fitting(finding);
    const held = fitting.find(({ isExpired }) => !isExpired);
    for (const one of fitting) if (one === held || one.isExpired) one.findings += 1;
  }

  outcomes(rules: readonly Rule[]): SuppressionOutcome[] {
    return this.#held.map(({ suppression, isExpired, findings }) => ({
      ...suppression,
      state: isExpired ? 'expired' : findings > 0 ? 'used' : 'unused',
      findings,
      namesRule: rules.some(({ name }) => hasPattern(name, suppression.rule)),
    }));
  }

  #fitting(finding: Finding): Held[] {
    return this.#held.filter(({ suppression, fits }) => hasPattern(finding.rule, suppression.rule) && fits(finding));
  }
}

/** The day in UTC, as YYYY-MM-DD. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function suppressedBy({ reason, expires, location }: Suppression): Suppressed {
  return { reason, ...(expires === undefined ? {} : { expires }), location };
}

/** A day that the calendar has. */
function isDate(text: string): boolean {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function contentOf(path: string): string {
  try {
    if (statSync(path).size > mostBytes)
      throw new SfkitError(
        'INPUT_NOT_SUPPORTED',
        `${path} is no file of suppressions: it has more than ${mostBytes} bytes`,
      );
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof SfkitError) throw error;
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const code = isMissing ? 'INPUT_NOT_FOUND' : 'INPUT_UNREADABLE';
    throw new SfkitError(code, `cannot read suppressions ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] as string;
}
