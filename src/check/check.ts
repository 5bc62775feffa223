import { SfkitError } from '../engine/errors.js';
import { isStreamInput } from '../engine/input-kind.js';
import { forgotten } from '../engine/reasons.js';
import type { Summary } from '../engine/session.js';
import {
  type Evidence,
  evidenceKey,
  findingsWithEvidence,
  maxEvidence,
  readEvidence,
} from './evidence.js';
import {
  type Diagnostic,
  damagedReason,
  type Finding,
  forgottenReason,
  type ReportedFinding,
  type Rule,
  type RuleOutcome,
} from './finding.js';
import { FindingIds } from './fingerprint.js';
import { LeadingFindings } from './groups.js';
import type { LanguageOptions, ReadingOptions, RuleRun, RuleSet } from './language.js';
import { byLanguage, isNestedFile } from './languages.js';
import { parseLevel } from './levels.js';
import { readRuleFiles } from './rule-files.js';
import { type RuleSwitch, selectRules } from './selection.js';
import { CheckTables } from './sql/tables.js';
import { readSuppressions, Suppressions, today } from './suppressions.js';

/** How rule files are read. */
export interface RuleOptions extends LanguageOptions {
  /** Language of the files. Default: recognized from the contents of each. */
  language?: string | undefined;
}

/** Loaded rules, of one language or several. */
export interface RuleBook {
  /** Errors and warnings about the files. An error makes check() throw. */
  diagnostics: readonly Diagnostic[];
  /** In evaluation order. */
  rules: readonly Rule[];
  /** Features that the files require and sfkit does not have. */
  notes: readonly string[];
  /**
   * Rules by language.
   * @internal
   */
  sets: readonly RuleSet[];
}

/** Reads rules from files, and from the .yaml, .yml and .sql files of directories. */
export function readRules(paths: string | readonly string[], options: RuleOptions = {}): RuleBook {
  const files = readRuleFiles(typeof paths === 'string' ? [paths] : paths, isNestedFile);
  const sets = byLanguage(files, options.language).map((part) =>
    part.language.load(part.files, options),
  );
  return {
    diagnostics: sets.flatMap(({ diagnostics }) => diagnostics),
    rules: sets.flatMap(({ rules }) => rules),
    notes: sets.flatMap(({ notes }) => notes),
    sets,
  };
}

/** Adds the diagnostics that need a trial run of the rules, such as errors in SQL. */
export async function verifyRules(book: RuleBook): Promise<RuleBook> {
  const more = await Promise.all(book.sets.map((set) => set.verify?.() ?? []));
  return { ...book, diagnostics: [...book.diagnostics, ...more.flat()] };
}

/** Rules to run, and options for findings. */
export interface CheckOptions extends RuleOptions {
  /** Rule files and directories, or the result of readRules(). */
  rules: string | readonly string[] | RuleBook;
  /**
   * first: report only the first rule that an event matches; all: report all of them. Default:
   * first.
   */
  ruleMatching?: 'first' | 'all' | undefined;
  /** Switches rules on or off, in this order. */
  switches?: readonly RuleSwitch[] | undefined;
  /** Evaluates only rules with one of these tags. Default: all. */
  tags?: readonly string[] | undefined;
  /** Evaluates only rules of this level or a more severe one. Default: all. */
  minLevel?: string | undefined;
  /** Reports every occurrence of a finding. Default: false, which reports it once with a count. */
  all?: boolean | undefined;
  /** Files of known, accepted findings. */
  suppress?: string | readonly string[] | undefined;
  /**
   * Date to compare with the expiry dates of suppressions, as YYYY-MM-DD. Default: today, in UTC.
   */
  today?: string | undefined;
  /**
   * Number of events of the same thread to add before and after each of the most severe findings.
   * More than 0 reads the capture again. Default: 0.
   */
  evidence?: number | undefined;
  /**
   * Bytes that the engine may take. Beyond it, it forgets what was idle longest, which the summary
   * counts; rules then see less. Default: no limit.
   */
  maxMemory?: number | undefined;
  /** Aborting it ends the check: the iteration throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Options and state that all captures of a run share. */
export interface RunCheckOptions extends Omit<CheckOptions, 'suppress'> {
  /** Files, or suppressions that earlier captures already used. */
  suppress?: CheckOptions['suppress'] | Suppressions;
  /** Assigns the ids of findings. Default: a new instance. */
  ids?: FindingIds | undefined;
}

/** Result of a capture and of each evaluated rule. */
export interface CheckReport {
  capture: string;
  summary: Summary;
  rules: readonly RuleOutcome[];
}

/** The findings of a capture, in the order of their first events. */
export interface Check extends AsyncIterable<ReportedFinding> {
  /** Available after the last finding. */
  report(): CheckReport;
}

/**
 * Evaluates rules on a capture. Throws INVALID_RULES if a rule has an error, and INVALID_ARGUMENT
 * if an option does.
 */
export function check(input: string, options: CheckOptions): Check {
  return checkCapture(input, options);
}

/** Checks one capture of several. */
export function checkCapture(input: string, options: RunCheckOptions): Check {
  const { signal, maxMemory } = options;
  const book = isBook(options.rules) ? options.rules : readRules(options.rules, options);
  const wrong = book.diagnostics.find(({ severity }) => severity === 'error');
  if (wrong !== undefined)
    throw new SfkitError(
      'INVALID_RULES',
      `${wrong.file}:${wrong.line}:${wrong.column}: ${wrong.message}`,
    );
  const chosen = chosenRules(book, options);
  const suppressions = suppressionsOf(options);
  const events = evidenceOf(input, options);
  const { ids = new FindingIds() } = options;
  const run = (tables: CheckTables) =>
    book.sets.map((set) =>
      set.run(input, {
        rules: chosen.filter(({ language }) => language === set.language),
        allMatching: options.ruleMatching === 'all',
        foldRepeats: options.all !== true,
        tables,
        signal,
        maxMemory,
      }),
    );
  const tables = new CheckTables(input, { signal, maxMemory });
  const runs = run(tables);
  // Later events belong to the evidence, and findings are not kept in memory: evaluate the rules
  // twice.
  const findEvidence = async (): Promise<Evidence | undefined> => {
    if (events === 0) return undefined;
    const tables = new CheckTables(input, { signal, maxMemory });
    try {
      return await evidenceAround(run(tables), input, events, suppressions, { signal, maxMemory });
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

/** A rule without matches might have matched in what is lost, so it counts as unevaluated. */
function outcomesOf(runs: readonly RuleRun[], summary: Summary): RuleOutcome[] {
  const outcomes = runs.flatMap((run) => run.outcomes());
  const reason = reasonOfLoss(summary);
  if (reason === undefined) return outcomes;
  return outcomes.map((outcome) =>
    outcome.state === 'unmatched' ? { ...outcome, state: 'unevaluated', reason } : outcome,
  );
}

function reasonOfLoss({ damage, skipped }: Summary): string | undefined {
  if (damage.length > 0) return damagedReason;
  return forgotten(skipped).length > 0 ? forgottenReason : undefined;
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
  reading: ReadingOptions,
): Promise<Evidence> {
  const leading = new LeadingFindings<Finding>(findingsWithEvidence(events));
  for (const run of runs) {
    for await (const found of run) if (suppressions.find(found) === undefined) leading.add(found);
  }
  const isCapture = runs.length > 0 && summaryOf(runs).format === 'scap';
  return isCapture ? readEvidence(input, leading.items(), events, reading) : new Map();
}

function suppressionsOf({ suppress = [], today: day }: RunCheckOptions): Suppressions {
  if (suppress instanceof Suppressions) return suppress;
  const files = typeof suppress === 'string' ? [suppress] : suppress;
  return new Suppressions(files.flatMap(readSuppressions), day ?? today());
}

function evidenceOf(input: string, { evidence = 0 }: RunCheckOptions): number {
  if (!Number.isInteger(evidence) || evidence < 0 || evidence > maxEvidence)
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `evidence: expected a whole number from 0 to ${maxEvidence}`,
    );
  if (evidence > 0 && isStreamInput(input))
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `evidence: needs a second pass over the capture, and ${input === '-' ? 'standard input' : input} can be read only once`,
    );
  return evidence;
}

/** The rules to evaluate, in evaluation order. */
export function chosenRules(
  { rules }: RuleBook,
  { switches, tags, minLevel }: Pick<CheckOptions, 'switches' | 'tags' | 'minLevel'>,
): Rule[] {
  const minimum = minLevel === undefined ? undefined : parseLevel('minLevel', minLevel);
  return selectRules(rules, { switches, tags, minLevel: minimum });
}

function isBook(rules: CheckOptions['rules']): rules is RuleBook {
  return typeof rules === 'object' && 'sets' in rules;
}

/** All runs read the same capture. */
function summaryOf([first]: readonly RuleRun[]): Summary {
  if (first === undefined) throw new SfkitError('INVALID_ARGUMENT', 'no rules are named');
  return first.summary();
}
