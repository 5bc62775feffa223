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

/** The one source whose rules are asked about captures. */
const knownSource = 'syscall';

/** Lists, macros and rules of all files so far. What an item changes of an earlier one is done here. */
export class Collector {
  readonly lists = new Map<string, ListDefinition>();
  readonly macros = new Map<string, MacroDefinition>();
  readonly rules = new Map<string, RuleDefinition>();
  /** Of each requirement the plugins that fulfil it. */
  readonly plugins: { alternatives: PluginRequirement[]; place: Place }[] = [];
  readonly #diagnostics: FalcoDiagnostic[];
  #next = 0;

  /** `diagnostics` get what is said about items as they come. */
  constructor(diagnostics: FalcoDiagnostic[]) {
    this.#diagnostics = diagnostics;
  }

  requirePlugins(alternatives: PluginRequirement[], place: Place): void {
    const names = new Set<string>();
    for (const { name, version } of alternatives) {
      if (parseVersion(version) === undefined)
        refuse(place, `'${version}' is no version of plugin '${name}', as in 0.4.0`);
      if (names.has(name)) refuse(place, `plugin '${name}' is named twice`);
      names.add(name);
    }
    this.plugins.push({ alternatives, place });
  }

  defineList(name: string, items: Composed[], place: Place): void {
    this.lists.set(name, { name, place, items, ...this.#order(this.lists.get(name)) });
  }

  appendList(name: string, items: Composed[], place: Place): void {
    const list = this.lists.get(name);
    if (list === undefined) refuse(place, `there is no list '${name}' to append to`);
    list.items.push(...items);
    list.visibility = this.#next++;
  }

  defineMacro(name: string, condition: Composed, place: Place, conditionPlace: Place): void {
    this.macros.set(name, { name, place, condition, conditionPlace, ...this.#order(this.macros.get(name)) });
  }

  appendMacro(name: string, condition: Composed, place: Place): void {
    const macro = this.macros.get(name);
    if (macro === undefined) refuse(place, `there is no macro '${name}' to append to`);
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
          `the rule is about events of '${rule.source}', and captures hold those of '${knownSource}'; it is left out`,
        ),
      );
    }
    for (const exception of rule.exceptions) completeException(exception, isUnknownSource);
    this.rules.set(rule.name, { ...rule, isUnknownSource, ...this.#order(before) });
  }

  appendRule(update: RuleUpdate): void {
    const rule = this.rules.get(update.name);
    if (rule === undefined) refuse(update.place, `there is no rule '${update.name}' to append to`);
    if (update.source !== undefined) checkSource(rule, update.source, update.place);
    if (!hasChange(update)) refuse(update.place, 'nothing is appended; a condition or exceptions are expected');
    if (update.condition !== undefined) rule.condition.append(' ').appendAll(update.condition);
    if (update.output !== undefined) rule.output.append(' ').appendAll(update.output);
    if (update.description !== undefined) rule.description += ` ${update.description}`;
    for (const tag of update.tags ?? []) rule.tags.add(tag);
    for (const exception of update.exceptions ?? []) appendException(rule, exception);
    rule.visibility = this.#next++;
  }

  replaceInRule(update: RuleUpdate): void {
    const rule = this.rules.get(update.name);
    if (rule === undefined) refuse(update.place, `there is no rule '${update.name}' in which to replace something`);
    if (update.source !== undefined) checkSource(rule, update.source, update.place);
    if (!hasChange(update)) refuse(update.place, 'nothing is replaced');
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
    if (update.skipIfUnknownFilter !== undefined) rule.skipIfUnknownFilter = update.skipIfUnknownFilter;
    rule.visibility = this.#next++;
  }

  switchRule(name: string, enabled: boolean, place: Place): void {
    const rule = this.rules.get(name);
    if (rule === undefined) refuse(place, `there is no rule '${name}' to switch on or off`);
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
      refuse(exception.place, `the rule has no exception '${exception.name}' yet: fields are expected`);
    if (exception.values.length === 0)
      refuse(exception.place, `the rule has no exception '${exception.name}' yet: values are expected`);
    completeException(exception, rule.isUnknownSource);
    rule.exceptions.push(exception);
    return;
  }
  if (isGiven(exception.fields))
    refuse(exception.place, `exception '${exception.name}' has its fields: only values can be appended`);
  if (isGiven(exception.comps))
    refuse(exception.place, `exception '${exception.name}' has its comps: only values can be appended`);
  known.values.push(...exception.values);
}

function isGiven({ isList, item, items }: ExceptionDefinition['fields']): boolean {
  return isList ? items.length > 0 : item.text !== '';
}

function hasChange({ name: _, place: __, source: ___, ...changes }: RuleUpdate): boolean {
  return Object.values(changes).some((change) => change !== undefined);
}

function checkSource(rule: RuleDefinition, source: string, place: Place): void {
  if (rule.source !== source) refuse(place, `the rule is there with source '${rule.source}', not '${source}'`);
}

function refuse(place: Place, message: string): never {
  throw new LoadError('LOAD_ERR_VALIDATE', message, place);
}
