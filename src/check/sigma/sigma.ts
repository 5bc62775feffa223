import type { Diagnostic, Rule } from '../finding.js';
import type { RuleLanguage, RuleSet, RuleText, RunOptions } from '../language.js';
import type { RowRule } from '../sql/row-rule.js';
import { RowRun } from '../sql/row-run.js';
import { type CompiledRule, compileRule } from './compile.js';
import { builtInOptions, readSigmaMapping, type SigmaOptions } from './mapping-file.js';
import { loadSigmaFile } from './rule.js';
import { ShownFields } from './shown.js';
import { SigmaValues } from './values.js';

/** Sigma rules for Linux. */
export const sigma: RuleLanguage = {
  name: 'sigma',
  recognizes: looksLikeSigma,
  isNested: true,
  load: (files, { sigmaMapping } = {}) =>
    new SigmaRuleSet(
      files,
      sigmaMapping === undefined ? builtInOptions : readSigmaMapping(sigmaMapping),
    ),
};

const keys = ['title', 'logsource', 'detection', 'correlation', 'filter'];

/** Two top-level keys of a rule are enough, so that files with errors are recognized too. */
function looksLikeSigma(content: string): boolean {
  const found = keys.filter((key) =>
    new RegExp(`^(?:["']?${key}["']?[ \\t]*:|[ \\t{]*"${key}"[ \\t]*:)`, 'm').test(content),
  );
  return found.length >= 2;
}

class SigmaRuleSet implements RuleSet {
  readonly language = 'sigma';
  readonly diagnostics: readonly Diagnostic[];
  readonly rules: readonly Rule[];
  readonly notes: readonly string[] = [];
  readonly #compiled: ReadonlyMap<Rule, CompiledRule>;
  readonly #shared = new SigmaValues();

  constructor(files: readonly RuleText[], { mapping, placeholders }: SigmaOptions) {
    const loads = files.map((file) => loadSigmaFile(file, placeholders));
    this.diagnostics = loads.flatMap(({ diagnostics }) => diagnostics);
    this.#compiled = new Map(
      loads
        .flatMap(({ rules }) => rules)
        .map((rule): [Rule, CompiledRule] => {
          const compiled = compileRule(rule, mapping, this.#shared);
          const { title, id, level, tags, author, description, file, line } = rule;
          const named = {
            ...(id === undefined ? {} : { id }),
            ...(author === undefined ? {} : { author }),
          };
          const needs = [
            ...(compiled.reason === undefined ? [] : [compiled.reason]),
            ...compiled.ignored,
          ];
          const location = { file, line };
          return [
            {
              name: title,
              language: this.language,
              level,
              tags,
              ...named,
              description,
              enabled: true,
              location,
              needs,
            },
            compiled,
          ];
        }),
    );
    this.rules = [...this.#compiled.keys()];
  }

  run(input: string, options: RunOptions): RowRun {
    return new RowRun(input, options, (rule) => this.#rowRule(rule), {
      values: this.#shared.values,
    });
  }

  #rowRule(rule: Rule): RowRule {
    const { condition, reason, needs, values, source, records, shown } = this.#compiled.get(
      rule,
    ) as CompiledRule;
    if (condition === undefined || source === undefined)
      return { rule, condition: undefined, reason };
    const fields = new ShownFields(source, records, shown);
    return {
      rule,
      condition,
      reason,
      needs,
      values,
      fields: (row) => fields.of(row),
      output: (row) => fields.output(row),
    };
  }
}
