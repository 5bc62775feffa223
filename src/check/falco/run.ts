import { openFindings, type Summary } from '../../engine/session.js';
import type { Finding, FoundProcess, Rule, RuleOutcome } from '../finding.js';
import type { RuleRun, RunOptions } from '../language.js';
import type { FalcoRule, FalcoRules } from './load.js';

/** Findings that are given of one capture where they are folded; of more only the number is. */
const mostDistinct = 100_000;

/** A rule that takes part, and its place among those that were loaded. */
export interface Chosen {
  rule: Rule;
  number: number | undefined;
}

/** A line of the engine (native/src/rules/matcher.cpp): a finding. */
interface Line extends Omit<Finding, 'rule' | 'language' | 'level' | 'tags' | 'location' | 'capture' | 'count'> {
  /** Among the rules that were asked. */
  rule: number;
  process?: FoundProcess;
}

/** The last line: of each rule that matched how often, and how often with nothing given. */
interface Totals {
  rules: [rule: number, matches: number, leftOut: number][];
  /** Of findings that occurred again: their place, how often they occurred, and when last. */
  folded: [finding: number, count: number, last: string][];
}

/** Rules asked about one capture. */
export class FalcoRun implements RuleRun {
  readonly #loaded: FalcoRules;
  readonly #chosen: readonly (Chosen & { loaded: FalcoRule })[];
  /** Those that the engine is asked about, in their order. */
  readonly #asked: readonly Chosen[];
  readonly #input: string;
  readonly #options: RunOptions;
  #totals: Totals = { rules: [], folded: [] };
  #summary: Summary | undefined;

  constructor(loaded: FalcoRules, chosen: readonly Chosen[], input: string, options: RunOptions) {
    this.#loaded = loaded;
    this.#chosen = chosen.map((one) => ({ ...one, loaded: loaded.rules[one.number ?? -1] as FalcoRule }));
    this.#asked = this.#chosen.filter(({ loaded: { leftOut } }) => leftOut === undefined);
    this.#input = input;
    this.#options = options;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Finding> {
    const { allMatching, folds } = this.#options;
    const { macros, rules } = this.#loaded.compiled;
    const places = new Map(this.#loaded.places.map((place, index) => [place, index]));
    const session = openFindings({
      input: this.#input,
      kind: 'capture',
      signal: this.#options.signal,
      rules: {
        macros,
        rules: this.#asked.map(({ number }) => rules[places.get(number as number) as number] as (typeof rules)[number]),
        allMatching,
        fold: folds,
        maxDistinct: mostDistinct,
      },
    });
    // How often a finding occurs is known at the end.
    const kept: Uint8Array[] = [];
    for await (const lines of session) {
      if (folds) kept.push(lines);
      else yield* this.#findings(lines);
    }
    this.#summary = session.summary();
    if (!folds) return;
    this.#takeTotals(kept.at(-1));
    const counts = new Map(this.#totals.folded.map(([place, count, lastTs]) => [place, { count, lastTs }]));
    let place = 0;
    for (const lines of kept) {
      for (const finding of this.#findings(lines)) yield { ...finding, ...counts.get(place++) };
    }
  }

  summary(): Summary {
    if (this.#summary === undefined) throw new Error('the capture is not read to its end');
    return this.#summary;
  }

  outcomes(): RuleOutcome[] {
    const { containersSeen, containersUndescribed } = this.summary();
    const totals = new Map(this.#totals.rules.map(([rule, ...counts]) => [this.#asked[rule]?.rule, counts]));
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
    const { rule } = this.#asked[number] as Chosen;
    const { name, language, level, tags, location } = rule;
    return { rule: name, language, level, tags, location, capture: this.#input, ts, count: 1, ...found };
  }
}

function linesOf(lines: Uint8Array): string[] {
  return Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength).toString('utf8').trimEnd().split('\n');
}

/** Why a rule cannot find all that it is about in this capture. */
function reasonFor(rule: FalcoRule, undescribed: bigint, containers: bigint): string | undefined {
  if (rule.leftOut !== undefined) return rule.leftOut;
  if (rule.unanswered.length > 0) return `captures do not hold ${rule.unanswered.join(', ')}`;
  if (!rule.canMatch) return 'no event can satisfy what it says of the type of event';
  if (rule.described.length === 0 || undescribed === 0n) return undefined;
  const some = undescribed === containers ? 'the containers' : `${undescribed} of ${containers} containers`;
  return `the capture does not describe ${some}, and the rule asks for ${rule.described.join(', ')}`;
}
