import type { Composed } from './composed.js';
import type {
  ExceptionDefinition,
  ListDefinition,
  MacroDefinition,
  RuleDefinition,
  RuleUpdate,
} from './definitions.js';
import { type FalcoDiagnostic, LoadError, type Place } from './diagnostics.js';
import { completeException } from './exceptions.js';
import { parseVersion } from './versions.js';

export interface PluginRequirement {
  name: string;
  version: string;
}

/** The only source whose rules sfkit evaluates. */
const knownSource = 'syscall';

/** Lists, macros and rules of all files so far. Applies items that change earlier ones. */
export class Collector {
  readonly lists = new Map<string, ListDefinition>();
  readonly macros = new Map<string, MacroDefinition>();
  readonly rules = new Map<string, RuleDefinition>();
  /** For each requirement, the plugins that satisfy it. */
  readonly plugins: { alternatives: PluginRequirement[]; place: Place }[] = [];
  readonly #diagnostics: FalcoDiagnostic[];
  #next = 0;

  /** Appends warnings about items to `diagnostics`. */
  constructor(diagnostics: FalcoDiagnostic[]) {
    this.#diagnostics = diagnostics;
  }

  requirePlugins(alternatives: PluginRequirement[], place: Place): void {
    const names = new Set<string>();
    for (const { name, version } of alternatives) {
      if (parseVersion(version) === undefined)
        fail(place, `plugin '${name}': expected a version such as 0.4.0, found '${version}'`);
      if (names.has(name)) fail(place, `plugin '${name}' is listed twice`);
      names.add(name);
    }
    this.plugins.push({ alternatives, place });
  }

  defineList(name: string, items: Composed[], place: Place): void {
    this.lists.set(name, { name, place, items, ...this.#order(this.lists.get(name)) });
  }

  appendList(name: string, items: Composed[], place: Place): void {
    const list = this.lists.get(name);
    if (list === undefined) fail(place, `there is no list '${name}' to append to`);
    list.items.push(...items);
    list.visibility = this.#next++;
  }

  defineMacro(name: string, condition: Composed, place: Place, conditionPlace: Place): void {
    this.macros.set(name, {
      name,
      place,
      condition,
      conditionPlace,
      ...this.#order(this.macros.get(name)),
    });
  }

  appendMacro(name: string, condition: Composed, place: Place): void {
    const macro = this.macros.get(name);
    if (macro === undefined) fail(place, `there is no macro '${name}' to append to`);
    macro.condition.append(' ').appendAll(condition);
    macro.visibility = this.#next++;
  }

  defineRule(rule: Omit<RuleDefinition, 'index' | 'visibility' | 'isUnknownSource'>): void {
    const before = this.rules.get(rule.name);
    if (before !== undefined) checkSource(before, rule.source, rule.place);
    const isUnknownSource = rule.source !== knownSource;
    if (isUnknownSource) {
      this.#diagnostics.push(
        rule.place.diagnostic(
          'warning',
          'LOAD_UNKNOWN_SOURCE',
          `the rule needs events of source '${rule.source}', and captures contain only '${knownSource}'; sfkit skips it`,
        ),
      );
    }
    for (const exception of rule.exceptions) completeException(exception, isUnknownSource);
    this.rules.set(rule.name, { ...rule, isUnknownSource, ...this.#order(before) });
  }

  appendRule(update: RuleUpdate): void {
    const rule = this.rules.get(update.name);
    if (rule === undefined) fail(update.place, `there is no rule '${update.name}' to append to`);
    if (update.source !== undefined) checkSource(rule, update.source, update.place);
    if (!hasChange(update))
      fail(update.place, 'nothing is appended; expected a condition or exceptions');
    if (update.condition !== undefined) rule.condition.append(' ').appendAll(update.condition);
    if (update.output !== undefined) rule.output.append(' ').appendAll(update.output);
    if (update.description !== undefined) rule.description += ` ${update.description}`;
    for (const tag of update.tags ?? []) rule.tags.add(tag);
    for (const exception of update.exceptions ?? []) appendException(rule, exception);
    rule.visibility = this.#next++;
  }

  replaceInRule(update: RuleUpdate): void {
    const rule = this.rules.get(update.name);
    if (rule === undefined) fail(update.place, `there is no rule '${update.name}' to change`);
    if (update.source !== undefined) checkSource(rule, update.source, update.place);
    if (!hasChange(update)) fail(update.place, 'nothing is replaced');
    if (update.condition !== undefined) rule.condition = update.condition;
    if (update.output !== undefined) rule.output = update.output;
    if (update.description !== undefined) rule.description = update.description;
    if (update.tags !== undefined) rule.tags = update.tags;
    if (update.exceptions !== undefined) {
      for (const exception of update.exceptions) completeException(exception, rule.isUnknownSource);
      rule.exceptions = update.exceptions;
    }
    if (update.level !== undefined) rule.level = update.level;
    if (update.enabled !== undefined) rule.enabled = update.enabled;
    if (update.warnEventTypes !== undefined) rule.warnEventTypes = update.warnEventTypes;
    if (update.skipIfUnknownFilter !== undefined)
      rule.skipIfUnknownFilter = update.skipIfUnknownFilter;
    rule.visibility = this.#next++;
  }

  switchRule(name: string, enabled: boolean, place: Place): void {
    const rule = this.rules.get(name);
    if (rule === undefined) fail(place, `there is no rule '${name}' to switch on or off`);
    rule.enabled = enabled;
  }

  #order(before: { index: number } | undefined): { index: number; visibility: number } {
    const next = this.#next++;
    return { index: before?.index ?? next, visibility: next };
  }
}

function appendException(rule: RuleDefinition, exception: ExceptionDefinition): void {
  const known = rule.exceptions.find(({ name }) => name === exception.name);
  if (known === undefined) {
    if (!isGiven(exception.fields))
      fail(exception.place, `exception '${exception.name}' is new and needs fields`);
    if (exception.values.length === 0)
      fail(exception.place, `exception '${exception.name}' is new and needs values`);
    completeException(exception, rule.isUnknownSource);
    rule.exceptions.push(exception);
    return;
  }
  if (isGiven(exception.fields))
    fail(
      exception.place,
      `exception '${exception.name}' already has fields: only values can be appended`,
    );
  if (isGiven(exception.comps))
    fail(
      exception.place,
      `exception '${exception.name}' already has comps: only values can be appended`,
    );
  known.values.push(...exception.values);
}

function isGiven({ isList, item, items }: ExceptionDefinition['fields']): boolean {
  return isList ? items.length > 0 : item.text !== '';
}

function hasChange({ name: _, place: __, source: ___, ...changes }: RuleUpdate): boolean {
  return Object.values(changes).some((change) => change !== undefined);
}

function checkSource(rule: RuleDefinition, source: string, place: Place): void {
  if (rule.source !== source)
    fail(place, `the rule is already defined with source '${rule.source}', not '${source}'`);
}

function fail(place: Place, message: string): never {
  throw new LoadError('LOAD_ERR_VALIDATE', message, place);
}
