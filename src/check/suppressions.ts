import { readFileSync, statSync } from 'node:fs';
import type { YAMLMap } from 'yaml';
import { reasonOf, SfkitError } from '../engine/errors.js';
import { nearest } from '../engine/nearest.js';
import type { Finding, Rule, RuleLocation, Suppressed } from './finding.js';
import { type FindingFilter, parseFindingFilter } from './finding-filter.js';
import { hasPattern } from './selection.js';
import { yamlPackage } from './yaml-package.js';

// Suppressions: known and accepted findings. Each entry of a file says which findings, why, and
// until when.

export interface Suppression {
  /** Rule name, or a pattern; * matches any text. */
  rule: string;
  /** Matches only findings for which this is true. Default: all findings of the rule. */
  condition?: string;
  reason: string;
  /** Last day on which it applies, as YYYY-MM-DD. Default: no expiry. */
  expires?: string;
  location: RuleLocation;
}

export interface SuppressionOutcome extends Suppression {
  /** unused: matches no finding; expired: its last day has passed. */
  state: 'used' | 'unused' | 'expired';
  /** Number of matching findings. */
  findings: number;
  /** Whether a rule with a matching name exists. */
  namesRule: boolean;
}

const keys = ['rule', 'condition', 'reason', 'expires'] as const;
const maxBytes = 2 ** 22;

/** Reads a suppression file. Throws INVALID_RULES with the location of the first error. */
export function readSuppressions(path: string): Suppression[] {
  return parseSuppressions(path, contentOf(path));
}

export function parseSuppressions(file: string, content: string): Suppression[] {
  const { isMap, isScalar, isSeq, LineCounter, parseDocument } = yamlPackage();
  const lines = new LineCounter();
  const document = parseDocument(content, {
    lineCounter: lines,
    schema: 'failsafe',
    prettyErrors: false,
  });
  const place = (offset: number | undefined) => lines.linePos(offset ?? 0);
  const fail = (offset: number | undefined, message: string): never => {
    const { line, col } = place(offset);
    throw new SfkitError('INVALID_RULES', `${file}:${line}:${col}: ${message}`);
  };
  const [error] = document.errors;
  if (error !== undefined) fail(error.pos[0], firstLine(error.message));
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return [];
  if (!isSeq(contents))
    return fail(0, "expected a list of suppressions, each starting with '- rule: NAME'");
  return contents.items.map((item) => {
    const at = (item as { range?: [number, number, number] }).range?.[0];
    if (!isMap(item))
      return fail(
        at,
        "expected a suppression with 'rule', 'reason' and optionally 'condition' and 'expires'",
      );
    const texts = textsOf(item, fail);
    const location = { file, line: place(at).line };
    const { rule, reason, condition, expires } = texts;
    if (rule === undefined)
      return fail(at, "'rule' is missing: give a rule name, or a pattern with *");
    if (reason === undefined || reason.trim() === '')
      return fail(at, "'reason' is missing: say why these findings are accepted");
    if (expires !== undefined && !isDate(expires))
      return fail(at, `'${expires}' is not a date; write it as 2027-01-31`);
    const wrong = condition === undefined ? undefined : conditionError(condition);
    if (wrong !== undefined) return fail(at, wrong);
    return {
      rule,
      reason: reason.trim(),
      location,
      ...(condition === undefined ? {} : { condition }),
      ...(expires === undefined ? {} : { expires }),
    };
  });
}

/** Error message for an invalid condition; undefined if it is valid. */
function conditionError(condition: string): string | undefined {
  try {
    parseFindingFilter(condition);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function textsOf(
  item: YAMLMap,
  fail: (offset: number | undefined, message: string) => never,
): Partial<Record<(typeof keys)[number], string>> {
  const { isScalar } = yamlPackage();
  const texts: Partial<Record<(typeof keys)[number], string>> = {};
  for (const { key, value } of item.items) {
    const at = (key as { range?: [number, number, number] }).range?.[0];
    const name = isScalar(key) ? String(key.value) : '';
    const known = keys.find((one) => one === name);
    if (known === undefined) {
      const likely = nearest(name, keys);
      return fail(
        at,
        `unknown key '${name}'; ${likely ? `did you mean '${likely}'?` : `expected one of ${keys.join(', ')}`}`,
      );
    }
    if (!isScalar(value) || value.value === null) return fail(at, `'${name}' must be a text`);
    texts[known] = String(value.value);
  }
  return texts;
}

interface ActiveSuppression {
  suppression: Suppression;
  matches: FindingFilter;
  isExpired: boolean;
  findings: number;
}

/** Suppressions as they apply on one day. */
export class Suppressions {
  readonly #active: ActiveSuppression[];

  /** `today` is the day of the run, as YYYY-MM-DD. */
  constructor(suppressions: readonly Suppression[], today: string) {
    if (!isDate(today))
      throw new SfkitError('INVALID_ARGUMENT', `'${today}' is not a date; write it as 2027-01-31`);
    this.#active = suppressions.map((suppression) => ({
      suppression,
      matches:
        suppression.condition === undefined
          ? () => true
          : parseFindingFilter(suppression.condition),
      isExpired: suppression.expires !== undefined && suppression.expires < today,
      findings: 0,
    }));
  }

  /** The first matching suppression that has not expired; undefined if there is none. */
  find(finding: Finding): Suppressed | undefined {
    const match = this.#matching(finding).find(({ isExpired }) => !isExpired);
    return match && suppressedBy(match.suppression);
  }

  /** Counts a finding for the suppressions that match it; see outcomes(). */
  count(finding: Finding): void {
    const matching = this.#matching(finding);
    const match = matching.find(({ isExpired }) => !isExpired);
    for (const one of matching) if (one === match || one.isExpired) one.findings += 1;
  }

  outcomes(rules: readonly Rule[]): SuppressionOutcome[] {
    return this.#active.map(({ suppression, isExpired, findings }) => ({
      ...suppression,
      state: isExpired ? 'expired' : findings > 0 ? 'used' : 'unused',
      findings,
      namesRule: rules.some(({ name }) => hasPattern(name, suppression.rule)),
    }));
  }

  #matching(finding: Finding): ActiveSuppression[] {
    return this.#active.filter(
      ({ suppression, matches }) => hasPattern(finding.rule, suppression.rule) && matches(finding),
    );
  }
}

/** Today's date in UTC, as YYYY-MM-DD. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function suppressedBy({ reason, expires, location }: Suppression): Suppressed {
  return { reason, ...(expires === undefined ? {} : { expires }), location };
}

/** Whether the text is a valid calendar date. */
function isDate(text: string): boolean {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function contentOf(path: string): string {
  try {
    if (statSync(path).size > maxBytes)
      throw new SfkitError(
        'INPUT_NOT_SUPPORTED',
        `${path} is not a suppression file: it has more than ${maxBytes} bytes`,
      );
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof SfkitError) throw error;
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const code = isMissing ? 'INPUT_NOT_FOUND' : 'INPUT_UNREADABLE';
    throw new SfkitError(code, `cannot read suppressions ${path}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] as string;
}
