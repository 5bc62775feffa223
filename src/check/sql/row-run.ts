import type { Summary } from '../../engine/session.js';
import type { Finding, Rule, RuleOutcome } from '../finding.js';
import type { RuleRun, RunOptions } from '../language.js';
import type { RowRule } from './row-rule.js';

/** Rules that are conditions about rows, asked about one input: a capture, a SysFlow file, or tables. */
export class RowRun implements RuleRun {
  readonly #input: string;
  readonly #options: RunOptions;
  readonly #rules: readonly RowRule[];

  constructor(input: string, options: RunOptions, compiled: (rule: Rule) => RowRule) {
    this.#input = input;
    this.#options = options;
    this.#rules = options.rules.map(compiled);
  }

  // biome-ignore lint/correctness/useYield: the rows come with the next change
  async *[Symbol.asyncIterator](): AsyncGenerator<Finding> {
    throw new Error(`${this.#input}: ${this.#rules.length} rules, folded: ${this.#options.folds}`);
  }

  outcomes(): RuleOutcome[] {
    return this.#rules.map(({ rule }) => ({ rule, state: 'unmatched', matches: 0, leftOut: 0 }));
  }

  summary(): Summary {
    throw new Error('the input is not read to its end');
  }
}
