import { SfkitError } from '../engine/errors.js';
import { isStreamInput } from '../engine/input-kind.js';
import type { Summary } from '../engine/session.js';
import { type Evidence, evidenceKey, findingsWithEvidence, mostEvidence, readEvidence } from './evidence.js';
import {
  type Diagnostic,
  damagedReason,
  type Finding,
  type ReportedFinding,
  type Rule,
  type RuleOutcome,
} from './finding.js';
import { FindingIds } from './fingerprint.js';
import { LeadingFindings } from './groups.js';
import type { LanguageOptions, RuleRun, RuleSet } from './language.js';
import { byLanguage, isNestedFile } from './languages.js';
import { parseLevel } from './levels.js';
import { readRuleFiles } from './rule-files.js';
import { type RuleSwitch, selectRules } from './selection.js';
import { CheckTables } from './sql/tables.js';
import { readSuppressions, Suppressions, today } from './suppressions.js';

/** How rule files are read. */
export interface RuleOptions extends LanguageOptions {
  /** Language of the files. Default: what each looks like. */
  language?: string | undefined;
}

/** Rules that were read, of one language or several. */
export interface RuleBook {
  /** What is wrong with the files, and what may be meant otherwise. With an error in it nothing can be checked. */
  diagnostics: readonly Diagnostic[];
  /** In the order in which they are asked. */
  rules: readonly Rule[];
  /** What the files ask for that sfkit does not have. */
  notes: readonly string[];
  /**
   * Rules by language.
   * @internal
   */
  sets: readonly RuleSet[];
}

/** Reads rules from files, and from the .yaml and .yml files of directories. */
export function readRules(paths: string | readonly string[], options: RuleOptions = {}): RuleBook {
  const files = readRuleFiles(typeof paths === 'string' ? [paths] : paths, isNestedFile);
  const sets = byLanguage(files, options.language).map((part) => part.language.load(part.files, options));
  return {
    diagnostics: sets.flatMap(({ diagnostics }) => diagnostics),
    rules: sets.flatMap(({ rules }) => rules),
    notes: sets.flatMap(({ notes }) => notes),
    sets,
  };
}

/** The same with what is found wrong only when rules are tried, such as SQL. */
export async function verifyRules(book: RuleBook): Promise<RuleBook> {
  const more = await Promise.all(book.sets.map((set) => set.verify?.() ?? []));
  return { ...book, diagnostics: [...book.diagnostics, ...more.flat()] };
}

/** Rules to run, and options for findings. */
export interface CheckOptions extends RuleOptions {
  /** Files and directories of rules, or what readRules() made of them. */
  rules: string | readonly string[] | RuleBook;
  /** first: of the rules that an event matches, the first; all: every one. Default: first. */
  ruleMatching?: 'first' | 'all' | undefined;
  /** Rules that are switched on or off, one after the other. */
  switches?: readonly RuleSwitch[] | undefined;
  /** Only rules with one of these tags take part. Default: all. */
  tags?: readonly string[] | undefined;
  /** Only rules of this level and more severe ones take part. Default: all. */
  minLevel?: string | undefined;
  /** Whether the same finding is given each time it occurs. Default: once, with how often. */
  all?: boolean | undefined;
  /** Files of known, accepted findings. */
  suppress?: string | readonly string[] | undefined;
  /** The day on which suppressions hold or not, as YYYY-MM-DD. Default: today, in UTC. */
  today?: string | undefined;
  /** Events of its thread before and after the most severe findings; the capture is read again for them. Default: 0. */
  evidence?: number | undefined;
  /** Aborting it ends the check: the iteration throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** State that all captures of a run share. */
export interface RunCheckOptions extends Omit<CheckOptions, 'suppress'> {
  /** Files, or their remaining entries after earlier captures. */
  suppress?: CheckOptions['suppress'] | Suppressions;
  /** Creates the ids of findings. Default: a new one. */
  ids?: FindingIds | undefined;
}

/** What became of a capture and of each rule that took part. */
export interface CheckReport {
  capture: string;
  summary: Summary;
  rules: readonly RuleOutcome[];
}

/** The findings of a capture, in the order of their first events. */
export interface Check extends AsyncIterable<ReportedFinding> {
  /** After the last finding. */
  report(): CheckReport;
}

/**
 * Asks rules about the events of a capture. Throws INVALID_RULES where a rule is wrong, and INVALID_ARGUMENT for options
 * that are.
 */
export function check(input: string, options: CheckOptions): Check {
  return checkCapture(input, options);
}

/** Checks one capture of several. */
export function checkCapture(input: string, options: RunCheckOptions): Check {
  const { signal } = options;
  const book = isBook(options.rules) ? options.rules : readRules(options.rules, options);
  const wrong = book.diagnostics.find(({ severity }) => severity === 'error');
  if (wrong !== undefined)
    throw new SfkitError('INVALID_RULES', `${wrong.file}:${wrong.line}:${wrong.column}: ${wrong.message}`);
  const chosen = chosenRules(book, options);
  const suppressions = suppressionsOf(options);
  const events = evidenceOf(input, options);
  const { ids = new FindingIds() } = options;
  const run = (tables: CheckTables) =>
    book.sets.map((set) =>
      set.run(input, {
        rules: chosen.filter(({ language }) => language === set.language),
        allMatching: options.ruleMatching === 'all',
        folds: options.all !== true,
        tables,
        signal,
      }),
    );
  const tables = new CheckTables(input, signal);
  const runs = run(tables);
  // What is around a finding is known later than the finding, and findings are not kept: rules are asked twice.
  const findEvidence = async (): Promise<Evidence | undefined> => {
    if (events === 0) return undefined;
    const tables = new CheckTables(input, signal);
    try {
      return await evidenceAround(run(tables), input, events, suppressions, signal);
    } finally {
      tables.close();
    }
  };
  return {
    async *[Symbol.asyncIterator]() {
      try {
        signal?.throwIfAborted();
        const evidence = await findEvidence();
        for (const one of runs) {
          for await (const found of one) {
            signal?.throwIfAborted();
            suppressions.count(found);
            yield reported(found, ids, suppressions, evidence);
          }
          signal?.throwIfAborted();
        }
      } catch (error) {
        throw signal?.aborted ? signal.reason : error;
      } finally {
        tables.close();
      }
    },
    report: () => {
      const summary = summaryOf(runs);
      return { capture: input, summary, rules: outcomesOf(runs, summary) };
    },
  };
}

/** Of rules without matches in a damaged capture nobody knows what they would have found in the rest. */
function outcomesOf(runs: readonly RuleRun[], { damage }: Summary): RuleOutcome[] {
  const outcomes = runs.flatMap((run) => run.outcomes());
  if (damage.length === 0) return outcomes;
  return outcomes.map((outcome) =>
    outcome.state === 'unmatched' ? { ...outcome, state: 'unevaluated', reason: damagedReason } : outcome,
  );
}

function reported(
  found: Finding,
  ids: FindingIds,
  suppressions: Suppressions,
  evidence: Evidence | undefined,
): ReportedFinding {
  const suppression = suppressions.find(found);
  const around = evidence?.get(evidenceKey(found));
  return {
    id: ids.next(found),
    ...found,
    ...(suppression === undefined ? {} : { suppression }),
    ...(around === undefined ? {} : { evidence: around }),
  };
}

async function evidenceAround(
  runs: readonly RuleRun[],
  input: string,
  events: number,
  suppressions: Suppressions,
  signal: AbortSignal | undefined,
): Promise<Evidence> {
  const leading = new LeadingFindings<Finding>(findingsWithEvidence(events));
  for (const run of runs) {
    for await (const found of run) if (suppressions.find(found) === undefined) leading.add(found);
  }
  const isCapture = runs.length > 0 && summaryOf(runs).format === 'scap';
  return isCapture ? readEvidence(input, leading.items(), events, signal) : new Map();
}

function suppressionsOf({ suppress = [], today: day }: RunCheckOptions): Suppressions {
  if (suppress instanceof Suppressions) return suppress;
  const files = typeof suppress === 'string' ? [suppress] : suppress;
  return new Suppressions(files.flatMap(readSuppressions), day ?? today());
}

function evidenceOf(input: string, { evidence = 0 }: RunCheckOptions): number {
  if (!Number.isInteger(evidence) || evidence < 0 || evidence > mostEvidence)
    throw new SfkitError('INVALID_ARGUMENT', `evidence: a whole number from 0 to ${mostEvidence} is expected`);
  if (evidence > 0 && isStreamInput(input))
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `evidence: the capture is read again for it, and ${input === '-' ? 'standard input' : input} cannot be`,
    );
  return evidence;
}

/** The rules that take part, in the order in which they are asked. */
export function chosenRules(
  { rules }: RuleBook,
  { switches, tags, minLevel }: Pick<CheckOptions, 'switches' | 'tags' | 'minLevel'>,
): Rule[] {
  const least = minLevel === undefined ? undefined : parseLevel('minLevel', minLevel);
  return selectRules(rules, { switches, tags, minLevel: least });
}

function isBook(rules: CheckOptions['rules']): rules is RuleBook {
  return typeof rules === 'object' && 'sets' in rules;
}

/** All runs read the same capture. */
function summaryOf([first]: readonly RuleRun[]): Summary {
  if (first === undefined) throw new SfkitError('INVALID_ARGUMENT', 'no rules are named');
  return first.summary();
}
