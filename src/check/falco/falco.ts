import type { Diagnostic, Rule } from '../finding.js';
import type { RuleLanguage, RuleSet, RuleText, RunOptions } from '../language.js';
import { type FalcoRules, type FileLoad, loadFalcoRules } from './load.js';
import { FalcoRun } from './run.js';
import { isCompatible, parseVersion } from './versions.js';

/** Falco rules for system calls. */
export const falco: RuleLanguage = {
  name: 'falco',
  recognizes: (content) => item.test(content),
  load: (files) => new FalcoRuleSet(files),
};

const item =
  /^\s*-\s+["']?(?:rule|macro|list|required_engine_version|required_plugin_versions)["']?\s*:/m;

/** The plugin whose fields the engine provides itself. */
const builtIn = { name: 'container', version: [0, 7, 1] };

class FalcoRuleSet implements RuleSet {
  readonly language = 'falco';
  readonly diagnostics: readonly Diagnostic[];
  readonly rules: readonly Rule[];
  readonly notes: readonly string[];
  readonly #loaded: FalcoRules;
  /** Index of each rule in `rules`. */
  readonly #numbers: ReadonlyMap<Rule, number>;

  constructor(files: readonly RuleText[]) {
    this.#loaded = loadFalcoRules(files);
    this.diagnostics = distinctDiagnostics(this.#loaded.loads);
    this.rules = this.#loaded.rules.map(({ definition, unavailableFields, containerFields }) => ({
      name: definition.name,
      language: this.language,
      level: definition.level,
      tags: [...definition.tags].sort(),
      description: definition.description,
      enabled: definition.enabled,
      location: { file: definition.place.file.name, line: definition.place.mark.line + 1 },
      needs: [...unavailableFields, ...containerFields],
    }));
    this.#numbers = new Map(this.rules.map((rule, number) => [rule, number]));
    this.notes = missingPlugins(this.#loaded.plugins);
  }

  run(input: string, options: RunOptions): FalcoRun {
    const chosen = options.rules.map((rule) => ({ rule, number: this.#numbers.get(rule) }));
    return new FalcoRun(this.#loaded, chosen, input, options);
  }
}

/**
 * Item diagnostics of every file, and definition diagnostics of the last file, which repeat those
 * of earlier files.
 */
function distinctDiagnostics(loads: readonly FileLoad[]): Diagnostic[] {
  const all = [
    ...loads.flatMap(({ itemDiagnostics }) => itemDiagnostics),
    ...(loads.at(-1)?.definitionDiagnostics ?? []),
  ];
  return all.map(({ contexts, ...diagnostic }) => diagnostic);
}

function missingPlugins(plugins: FalcoRules['plugins']): string[] {
  const isProvided = ({ name, version }: { name: string; version: string }) => {
    const required = parseVersion(version);
    return (
      name === builtIn.name && required !== undefined && isCompatible(builtIn.version, required)
    );
  };
  return plugins
    .filter(({ alternatives }) => !alternatives.some(isProvided))
    .map(({ alternatives, place }) => {
      const names = alternatives.map(({ name, version }) => `${name} ${version}`).join(' or ');
      const { file, line } = place.diagnostic('warning', 'LOAD_UNKNOWN_ITEM', '');
      return `${file}:${line}: requires plugin ${names}, which sfkit does not have`;
    });
}
