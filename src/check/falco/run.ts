import { openFindings, type Summary } from '../../engine/session.js';
import type { Finding, FoundProcess, Rule, RuleOutcome } from '../finding.js';
import type { RuleRun, RunOptions } from '../language.js';
import type { FalcoRule, FalcoRules } from './load.js';

/** Maximum distinct findings per capture if repeats are folded. Further ones are only counted. */
const maxDistinct = 100_000;

/** A selected rule and its index among the loaded rules. */
export interface SelectedRule {
  rule: Rule;
  number: number | undefined;
}

/** A finding as the engine prints it (native/src/rules/matcher.cpp). */
interface Line
  extends Omit<Finding, 'rule' | 'language' | 'level' | 'tags' | 'location' | 'capture' | 'count'> {
  /** Index among the evaluated rules. */
  rule: number;
  process?: FoundProcess;
}

/**
 * The last line: for each rule with matches, how many there were and how many are in no finding.
 */
interface Totals {
  rules: [rule: number, matches: number, leftOut: number][];
  /** For each repeated finding: its index, its count, and the time of its last occurrence. */
  folded: [finding: number, count: number, last: string][];
}

/** Evaluates rules on one capture. */
export class FalcoRun implements RuleRun {
  readonly #loaded: FalcoRules;
  readonly #chosen: readonly (SelectedRule & { loaded: FalcoRule })[];
  /** The rules that the engine evaluates, in order. */
  readonly #evaluated: readonly SelectedRule[];
  readonly #input: string;
  readonly #options: RunOptions;
  #totals: Totals = { rules: [], folded: [] };
  #summary: Summary | undefined;

  constructor(
    loaded: FalcoRules,
    chosen: readonly SelectedRule[],
    input: string,
    options: RunOptions,
  ) {
    this.#loaded = loaded;
    this.#chosen = chosen.map((one) => ({
      ...one,
      loaded: loaded.rules[one.number ?? -1] as FalcoRule,
    }));
    this.#evaluated = this.#chosen.filter(({ loaded: { leftOut } }) => leftOut === undefined);
    this.#input = input;
    this.#options = options;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Finding> {
    const { allMatching, foldRepeats } = this.#options;
    const { macros, rules } = this.#loaded.compiled;
    const places = new Map(this.#loaded.places.map((place, index) => [place, index]));
    const session = openFindings({
      input: this.#input,
      kind: 'capture',
      signal: this.#options.signal,
      maxMemory: this.#options.maxMemory,
      rules: {
        macros,
        rules: this.#evaluated.map(
          ({ number }) => rules[places.get(number as number) as number] as (typeof rules)[number],
        ),
        allMatching,
        fold: foldRepeats,
        maxDistinct,
      },
    });
    // The count of a finding is known only at the end.
    const kept: Uint8Array[] = [];
    for await (const lines of session) {
      if (foldRepeats) kept.push(lines);
      else yield* this.#findings(lines);
    }
    this.#summary = session.summary();
    if (!foldRepeats) return;
    this.#takeTotals(kept.at(-1));
    const counts = new Map(
      this.#totals.folded.map(([place, count, lastTs]) => [place, { count, lastTs }]),
    );
    let place = 0;
    for (const lines of kept) {
      for (const finding of this.#findings(lines)) yield { ...finding, ...counts.get(place++) };
    }
  }

  summary(): Summary {
    if (this.#summary === undefined) throw new Error('the capture was not read to its end');
    return this.#summary;
  }

  outcomes(): RuleOutcome[] {
    const { containersSeen, containersUndescribed } = this.summary();
    const totals = new Map(
      this.#totals.rules.map(([rule, ...counts]) => [this.#evaluated[rule]?.rule, counts]),
    );
    return this.#chosen.map(({ rule, loaded }) => {
      const [matches = 0, leftOut = 0] = totals.get(rule) ?? [];
      const reason = reasonFor(loaded, containersUndescribed, containersSeen);
      const state = matches > 0 ? 'matched' : reason === undefined ? 'unmatched' : 'unevaluated';
      return { rule, state, ...(reason === undefined ? {} : { reason }), matches, leftOut };
    });
  }

  *#findings(lines: Uint8Array): Generator<Finding> {
    for (const text of linesOf(lines)) {
      const line = JSON.parse(text) as Line | Totals;
      if ('rules' in line) this.#totals = line;
      else yield this.#finding(line);
    }
  }

  #takeTotals(lines: Uint8Array | undefined): void {
    const last = lines === undefined ? undefined : linesOf(lines).at(-1);
    if (last !== undefined) this.#totals = JSON.parse(last) as Totals;
  }

  #finding({ rule: number, ts, ...found }: Line): Finding {
    const { rule } = this.#evaluated[number] as SelectedRule;
    const { name, language, level, tags, location } = rule;
    return {
      rule: name,
      language,
      level,
      tags,
      location,
      capture: this.#input,
      ts,
      count: 1,
      ...found,
    };
  }
}

function linesOf(lines: Uint8Array): string[] {
  return Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength)
    .toString('utf8')
    .trimEnd()
    .split('\n');
}

/** Why a rule cannot see everything it looks for in this capture. */
function reasonFor(rule: FalcoRule, undescribed: bigint, containers: bigint): string | undefined {
  if (rule.leftOut !== undefined) return rule.leftOut;
  if (rule.unavailableFields.length > 0)
    return `captures do not contain ${rule.unavailableFields.join(', ')}`;
  if (!rule.canMatch) return 'no event can have the event type it requires';
  if (rule.containerFields.length === 0 || undescribed === 0n) return undefined;
  const some =
    undescribed === containers ? 'the containers' : `${undescribed} of ${containers} containers`;
  return `the capture does not describe ${some}, and the rule uses ${rule.containerFields.join(', ')}`;
}
