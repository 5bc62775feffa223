import type { Diagnostic, Rule } from '../finding.js';
import type { RuleLanguage, RuleSet, RuleText, RunOptions } from '../language.js';
import { type FalcoRules, type FileLoad, loadFalcoRules } from './load.js';
import { FalcoRun } from './run.js';
import { isCompatible, parseVersion } from './versions.js';

/** Rules files of Falco, for system calls. */
export const falco: RuleLanguage = {
  name: 'falco',
  recognizes: (content) => item.test(content),
  load: (files) => new FalcoRuleSet(files),
};

const item = /^\s*-\s+["']?(?:rule|macro|list|required_engine_version|required_plugin_versions)["']?\s*:/m;

/** What stands in for a plugin: its fields are the engine's own. */
const builtIn = { name: 'container', version: [0, 7, 1] };

class FalcoRuleSet implements RuleSet {
  readonly language = 'falco';
  readonly diagnostics: readonly Diagnostic[];
  readonly rules: readonly Rule[];
  readonly notes: readonly string[];
  readonly #loaded: FalcoRules;
  /** Beside `rules`. */
  readonly #numbers: ReadonlyMap<Rule, number>;

  constructor(files: readonly RuleText[]) {
    this.#loaded = loadFalcoRules(files);
    this.diagnostics = diagnosticsOf(this.#loaded.loads);
    this.rules = this.#loaded.rules.map(({ definition, unanswered, described }) => ({
      name: definition.name,
      language: this.language,
      level: definition.level,
      tags: [...definition.tags].sort(),
      description: definition.description,
      enabled: definition.enabled,
      location: { file: definition.place.file.name, line: definition.place.mark.line + 1 },
      needs: [...unanswered, ...described],
    }));
    this.#numbers = new Map(this.rules.map((rule, number) => [rule, number]));
    this.notes = missingPlugins(this.#loaded.plugins);
  }

  run(input: string, options: RunOptions): FalcoRun {
    const chosen = options.rules.map((rule) => ({ rule, number: this.#numbers.get(rule) }));
    return new FalcoRun(this.#loaded, chosen, input, options);
  }
}

/** Each thing once: of the items of every file, and of all definitions as they are after the last one. */
function diagnosticsOf(loads: readonly FileLoad[]): Diagnostic[] {
  const all = [...loads.flatMap(({ ofItems }) => ofItems), ...(loads.at(-1)?.ofDefinitions ?? [])];
  return all.map(({ contexts, ...diagnostic }) => diagnostic);
}

function missingPlugins(plugins: FalcoRules['plugins']): string[] {
  const isHere = ({ name, version }: { name: string; version: string }) => {
    const asked = parseVersion(version);
    return name === builtIn.name && asked !== undefined && isCompatible(builtIn.version, asked);
  };
  return plugins
    .filter(({ alternatives }) => !alternatives.some(isHere))
    .map(({ alternatives, place }) => {
      const names = alternatives.map(({ name, version }) => `${name} ${version}`).join(' or ');
      const { file, line } = place.diagnostic('warning', 'LOAD_UNKNOWN_ITEM', '');
      return `${file}:${line}: asks for plugin ${names}, which sfkit does not have`;
    });
}
