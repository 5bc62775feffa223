import type { RuleText } from '../language.js';
import { type Level, levels } from '../levels.js';
import type { Collector } from './collector.js';
import { Composed } from './composed.js';
import type { Entry, ExceptionDefinition, RuleUpdate } from './definitions.js';
import { type FalcoDiagnostic, LoadError, Place, type WarningCode } from './diagnostics.js';
import { isCompatibleEngine, parseVersion } from './versions.js';
import { type MapNode, parseYaml, type ScalarNode, YamlError, type YamlNode } from './yaml.js';

// Reads a rule file item by item and checks the shape of each item. The collector checks how items
// relate. The first error ends the file.

const identifier = /^[a-zA-Z][a-zA-Z0-9_]*$/;
const listName = /^[^()"'\s=,]+$/;

const listKeys = ['list', 'items', 'append', 'override'];
const macroKeys = ['macro', 'condition', 'append', 'override'];
const appendable = ['condition', 'output', 'desc', 'tags', 'exceptions'];
const replaceable = [
  ...appendable,
  'priority',
  'enabled',
  'warn_evttypes',
  'skip-if-unknown-filter',
  'capture',
  'capture_duration',
];
const ruleKeys = ['rule', 'source', 'append', 'override', ...replaceable];

const appendAdvice =
  "'append: true' is deprecated; write 'override: {condition: append}' or the like";

/** Maximum names and values of exceptions in a file. */
const maxEntries = 1_000_000;

/** Passes the items of a file to the collector; false if an error ended the file. */
export function readRules(
  file: RuleText,
  collector: Collector,
  diagnostics: FalcoDiagnostic[],
): boolean {
  try {
    new Reader(file, collector, diagnostics).read();
    return true;
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    diagnostics.push(error.place.diagnostic('error', error.code, error.message));
    return false;
  }
}

class Reader {
  readonly #file: RuleText;
  readonly #collector: Collector;
  #entries = 0;
  readonly #diagnostics: FalcoDiagnostic[];
  readonly #place: Place;

  constructor(file: RuleText, collector: Collector, diagnostics: FalcoDiagnostic[]) {
    this.#file = file;
    this.#collector = collector;
    this.#diagnostics = diagnostics;
    this.#place = Place.of(file);
  }

  read(): void {
    for (const document of this.#parse()) {
      if (document.kind === 'scalar')
        this.#fail(this.#place, 'expected a list of items, found text');
      if (document.kind === 'map')
        this.#fail(
          this.#place,
          "expected a list of items, found a mapping; put '- ' before each item",
        );
      if (document.kind !== 'sequence') continue;
      for (const item of document.items) if (item.kind !== 'null') this.#readItem(item);
    }
  }

  #parse(): YamlNode[] {
    try {
      return parseYaml(this.#file.content);
    } catch (error) {
      if (!(error instanceof YamlError)) throw error;
      throw new LoadError(
        'LOAD_ERR_YAML_PARSE',
        `invalid YAML: ${error.message}`,
        this.#place.within('value for', error.mark),
      );
    }
  }

  #readItem(item: YamlNode): void {
    if (item.kind !== 'map') {
      this.#fail(
        this.#place.within('rules content item', item.mark),
        'an item must be a mapping with a key such as rule, macro or list',
      );
    }
    if (item.get('required_engine_version') !== undefined) this.#readEngineVersion(item);
    else if (item.get('required_plugin_versions') !== undefined) this.#readPluginVersions(item);
    else if (item.get('list') !== undefined) this.#readList(item);
    else if (item.get('macro') !== undefined) this.#readMacro(item);
    else if (item.get('rule') !== undefined) this.#readRule(item);
    else {
      const place = this.#place.within('rules content item', item.mark);
      this.#warn(
        'LOAD_UNKNOWN_ITEM',
        'the item has no key for its type, such as rule, macro or list; sfkit skips it',
        place,
      );
    }
  }

  #readEngineVersion(item: MapNode): void {
    const place = this.#place.within('required_engine_version', item.mark);
    const text = this.#text(item, 'required_engine_version', place);
    const number = parseUnsigned(text);
    const version = number === undefined ? parseVersion(text) : [0, number, 0];
    if (version === undefined)
      this.#fail(place, `expected a version such as 0.57.0, found '${text}'`);
    if (!isCompatibleEngine(version)) {
      throw new LoadError(
        'LOAD_ERR_VALIDATE',
        `the rules require engine version ${version.join('.')}, and sfkit implements 0.62.0`,
        place,
      );
    }
  }

  #readPluginVersions(item: MapNode): void {
    const list = item.get('required_plugin_versions') as YamlNode;
    const place = this.#place.within('required plugin versions', list.mark);
    if (list.kind !== 'sequence')
      this.#fail(place, 'required_plugin_versions must be a list of plugins');
    for (const plugin of list.items) {
      const unnamed = place.within('required plugin versions entry', plugin.mark);
      if (plugin.kind !== 'map')
        this.#fail(unnamed, 'a plugin must be a mapping with name and version');
      const name = this.#text(plugin, 'name', unnamed);
      const named = place.within('required plugin versions entry', plugin.mark, name);
      const requirements = [{ name, version: this.#text(plugin, 'version', named) }];
      const alternatives = plugin.get('alternatives');
      if (alternatives !== undefined && alternatives.kind !== 'sequence')
        this.#fail(named, 'alternatives must be a list of plugins');
      for (const other of alternatives?.items ?? []) {
        const otherPlace = named.within('required plugin versions alternative', other.mark);
        if (other.kind !== 'map')
          this.#fail(otherPlace, 'an alternative must be a mapping with name and version');
        const otherName = this.#text(other, 'name', otherPlace);
        const otherNamed = named.within(
          'required plugin versions alternative',
          other.mark,
          otherName,
        );
        requirements.push({ name: otherName, version: this.#text(other, 'version', otherNamed) });
      }
      this.#collector.requirePlugins(requirements, named);
    }
  }

  #readList(item: MapNode): void {
    const name = this.#text(item, 'list', this.#place.within('list', item.mark));
    const place = this.#place.within('list', item.mark, name);
    if (!listName.test(name)) {
      this.#warn(
        'LOAD_INVALID_LIST_NAME',
        `the list name '${name}' contains whitespace or one of ( ) " ' = ,`,
        place,
      );
    }
    const items = this.#texts(item, 'items', place).map(({ text, node }) =>
      this.#composed(text, node),
    );
    const isAppended = this.#isAppended(item, place, ['items'], ['items']);
    this.#checkKeys(item, listKeys, place);
    if (isAppended) this.#collector.appendList(name, items, place);
    else this.#collector.defineList(name, items, place);
  }

  #readMacro(item: MapNode): void {
    const name = this.#text(item, 'macro', this.#place.within('macro', item.mark));
    const place = this.#place.within('macro', item.mark, name);
    if (!identifier.test(name)) {
      this.#warn(
        'LOAD_INVALID_MACRO_NAME',
        `the macro name '${name}' must start with a letter and contain only letters, digits and underscores`,
        place,
      );
    }
    const condition = this.#composedValue(item, 'condition', place);
    const conditionPlace = place.within(
      'macro condition',
      (item.get('condition') as YamlNode).mark,
    );
    const isAppended = this.#isAppended(item, place, ['condition'], ['condition']);
    this.#checkKeys(item, macroKeys, place);
    if (isAppended) this.#collector.appendMacro(name, condition, place);
    else this.#collector.defineMacro(name, condition, place, conditionPlace);
  }

  #readRule(item: MapNode): void {
    const name = this.#text(item, 'rule', this.#place.within('rule', item.mark));
    const place = this.#place.within('rule', item.mark, name);
    const hasAppend = this.#flag(item, 'append', place) ?? false;
    if (hasAppend) this.#warn('LOAD_DEPRECATED_ITEM', appendAdvice, place);
    const overrides = this.#overrides(item, place, appendable, replaceable);
    const hasOverrides = overrides.append.size + overrides.replace.size > 0;
    if (hasAppend && hasOverrides)
      this.#fail(place, "'append: true' and 'override' cannot stand together");

    if (hasOverrides) this.#overrideRule(item, name, place, overrides);
    else if (hasAppend) this.#appendRule(item, name, place);
    else if (
      ['condition', 'output', 'desc', 'priority'].every((key) => item.get(key) === undefined)
    )
      this.#switchRule(item, name, place);
    else this.#defineRule(item, name, place);
  }

  #overrideRule(item: MapNode, name: string, place: Place, overrides: Overrides): void {
    const unnamed = new Set(replaceable.filter((key) => item.get(key) !== undefined));
    const takes = (operation: 'append' | 'replace', key: string) => {
      if (!overrides[operation].has(key)) return false;
      if (!unnamed.delete(key))
        this.#fail(place, `'override' has '${key}: ${operation}', and the item has no ${key}`);
      return true;
    };
    const read = (operation: 'append' | 'replace') => {
      const update: RuleUpdate = { name, place, source: this.#sourceOf(item) };
      if (takes(operation, 'condition'))
        update.condition = this.#composedValue(item, 'condition', place);
      if (takes(operation, 'exceptions'))
        update.exceptions = this.#exceptions(item, place, operation === 'append');
      if (takes(operation, 'output')) update.output = this.#composedValue(item, 'output', place);
      if (takes(operation, 'desc')) update.description = this.#text(item, 'desc', place);
      if (takes(operation, 'tags')) update.tags = this.#tags(item, place);
      if (takes(operation, 'priority')) update.level = this.#priority(item, place);
      if (takes(operation, 'enabled')) update.enabled = this.#flag(item, 'enabled', place);
      if (takes(operation, 'warn_evttypes'))
        update.warnEventTypes = this.#flag(item, 'warn_evttypes', place);
      if (takes(operation, 'skip-if-unknown-filter'))
        update.skipIfUnknownFilter = this.#flag(item, 'skip-if-unknown-filter', place);
      if (takes(operation, 'capture')) update.capture = this.#flag(item, 'capture', place);
      if (takes(operation, 'capture_duration'))
        update.captureDuration = this.#number(item, 'capture_duration', place);
      return update;
    };
    if (overrides.append.size > 0) this.#collector.appendRule(read('append'));
    if (overrides.replace.size > 0) this.#collector.replaceInRule(read('replace'));
    const [key] = [...unnamed].sort();
    if (key !== undefined) {
      const keyPlace = place.within('overrides', (item.get(key) as YamlNode).mark, key);
      this.#fail(
        keyPlace,
        `the item has '${key}', and 'override' does not say whether to append or replace it`,
      );
    }
    this.#checkKeys(item, ruleKeys, place);
  }

  #appendRule(item: MapNode, name: string, place: Place): void {
    const update: RuleUpdate = { name, place, source: this.#sourceOf(item) };
    if (item.get('condition') !== undefined)
      update.condition = this.#composedValue(item, 'condition', place);
    if (item.get('exceptions') !== undefined)
      update.exceptions = this.#exceptions(item, place, true);
    this.#checkKeys(item, ruleKeys, place);
    this.#collector.appendRule(update);
  }

  #switchRule(item: MapNode, name: string, place: Place): void {
    const enabled = this.#flag(item, 'enabled', place);
    if (enabled === undefined) this.#fail(place, "the rule has neither a condition nor 'enabled'");
    this.#warn(
      'LOAD_DEPRECATED_ITEM',
      "'enabled' alone is deprecated; add 'override: {enabled: replace}'",
      place,
    );
    this.#checkKeys(item, ruleKeys, place);
    this.#collector.switchRule(name, enabled, place);
  }

  #defineRule(item: MapNode, name: string, place: Place): void {
    const condition = this.#composedValue(item, 'condition', place);
    const output = this.#composedValue(item, 'output', place, true);
    const description = this.#text(item, 'desc', place);
    const level = this.#priority(item, place);
    const source = this.#optionalText(item, 'source', place) ?? 'syscall';
    const enabled = this.#flag(item, 'enabled', place) ?? true;
    const warnEventTypes = this.#flag(item, 'warn_evttypes', place) ?? true;
    const skipIfUnknownFilter = this.#flag(item, 'skip-if-unknown-filter', place) ?? false;
    this.#flag(item, 'capture', place);
    this.#number(item, 'capture_duration', place);
    const tags = this.#tags(item, place);
    const exceptions = this.#exceptions(item, place, false);
    this.#checkKeys(item, ruleKeys, place);
    this.#collector.defineRule({
      name,
      place,
      condition,
      conditionPlace: place.within('rule condition', (item.get('condition') as YamlNode).mark),
      output,
      outputPlace: place.within('rule output', (item.get('output') as YamlNode).mark),
      description,
      level,
      source,
      enabled,
      tags,
      exceptions,
      warnEventTypes,
      skipIfUnknownFilter,
    });
  }

  #isAppended(item: MapNode, place: Place, mayAppend: string[], mayReplace: string[]): boolean {
    const hasAppend = this.#flag(item, 'append', place) ?? false;
    if (hasAppend) this.#warn('LOAD_DEPRECATED_ITEM', appendAdvice, place);
    const { append, replace } = this.#overrides(item, place, mayAppend, mayReplace);
    if (hasAppend && append.size + replace.size > 0)
      this.#fail(place, "'append: true' and 'override' cannot stand together");
    return hasAppend || append.size > 0;
  }

  #overrides(
    item: MapNode,
    parent: Place,
    mayAppend: readonly string[],
    mayReplace: readonly string[],
  ): Overrides {
    const found: Overrides = { append: new Set(), replace: new Set() };
    const node = item.get('override');
    if (node === undefined || node.kind === 'null' || node.kind === 'scalar') return found;
    const isMap = node.kind === 'map';
    if (!isMap && node.items.length > 0)
      throw new LoadError(
        'LOAD_ERR_VALIDATE',
        "'override' is a mapping, as in {condition: append}",
        this.#place,
      );
    const place = parent.within('overrides', item.mark);
    for (const { key, value } of isMap ? node.pairs : []) {
      const name = wordOf(key);
      const operation = wordOf(value);
      if (name === undefined || operation === undefined)
        throw new LoadError(
          'LOAD_ERR_VALIDATE',
          "'override' is a mapping, as in {condition: append}",
          this.#place,
        );
      if (operation === 'append') {
        if (!mayAppend.includes(name))
          this.#fail(
            place.within('overrides', key.mark, name),
            `'${name}' cannot be appended to${mayReplace.includes(name) ? ', only replaced' : ''}`,
          );
        found.append.add(name);
      } else if (operation === 'replace') {
        if (!mayReplace.includes(name))
          this.#fail(place.within('overrides', key.mark, name), `'${name}' cannot be replaced`);
        found.replace.add(name);
      } else {
        const allowed = [
          ...(mayAppend.includes(name) ? ['append'] : []),
          ...(mayReplace.includes(name) ? ['replace'] : []),
        ];
        this.#fail(
          place.within('value for', value.mark, name),
          `'${operation}' is not a valid override of '${name}'${allowed.length > 0 ? `; expected ${allowed.join(' or ')}` : ''}`,
        );
      }
    }
    return found;
  }

  #exceptions(item: MapNode, parent: Place, isAppended: boolean): ExceptionDefinition[] {
    const list = item.get('exceptions');
    if (list === undefined || list.kind === 'null') return [];
    const listPlace = parent.within('exceptions', list.mark);
    if (list.kind !== 'sequence') this.#fail(listPlace, 'exceptions must be a list of mappings');
    const made: ExceptionDefinition[] = [];
    for (const node of list.items) {
      const unnamed = listPlace.within('exception', node.mark);
      if (node.kind !== 'map')
        this.#fail(unnamed, 'an exception must be a mapping with name, fields and values');
      const name = this.#text(node, 'name', unnamed);
      const place = parent.within('exception', node.mark, name);
      if (made.some((other) => other.name === name)) {
        this.#warn(
          'LOAD_EXCEPTION_NAME_NOT_UNIQUE',
          `the rule has two exceptions named '${name}'`,
          place,
        );
      }
      const fields = this.#entry(node, 'fields', place, isAppended);
      const comps = this.#entry(node, 'comps', place, true);
      const values = this.#exceptionValues(node, place, isAppended);
      made.push({ name, place, fields, comps, values });
    }
    return made;
  }

  #exceptionValues(node: MapNode, place: Place, isAppended: boolean): Entry[] {
    const values = node.get('values');
    if (values === undefined) {
      if (isAppended) this.#warn('LOAD_APPEND_NO_VALUES', 'the exception adds no values', place);
      return [];
    }
    const valuesPlace = place.within('exception values', values.mark);
    if (values.kind !== 'sequence') this.#fail(valuesPlace, 'values must be a list');
    return values.items.map((value) => {
      const valuePlace = valuesPlace.within('exception value', value.mark);
      return this.#entryOf(value, valuePlace.within('value for', value.mark), 0);
    });
  }

  #entry(item: MapNode, key: string, place: Place, isOptional: boolean): Entry {
    const node = item.get(key);
    if (node === undefined && isOptional) return { isList: false, item: new Composed(), items: [] };
    if (node === undefined) this.#fail(place, `the item has no ${key}`);
    return this.#entryOf(node, place.within('value for', node.mark, key), 0);
  }

  #entryOf(node: YamlNode, place: Place, depth: number): Entry {
    // Nested aliases multiply values.
    if (++this.#entries > maxEntries)
      this.#fail(place, 'the exceptions of the file have too many values');
    const made: Entry = { isList: node.kind === 'sequence', item: new Composed(), items: [] };
    if (node.kind === 'scalar') {
      if (node.text === '') this.#fail(place, 'a value is empty');
      made.item = this.#composed(node.text, node);
    }
    // Deeper levels have no meaning.
    if (node.kind === 'sequence' && depth < 2) {
      made.items = node.items.map((child) => {
        const childPlace = place.within('exception', child.mark).within('value for', child.mark);
        return this.#entryOf(child, childPlace, depth + 1);
      });
    }
    return made;
  }

  #tags(item: MapNode, place: Place): Set<string> {
    if (item.get('tags') === undefined) return new Set();
    return new Set(this.#texts(item, 'tags', place).map(({ text }) => text));
  }

  #priority(item: MapNode, place: Place): Level {
    const word = this.#text(item, 'priority', place).toLowerCase();
    const level = word === 'info' ? 'informational' : levels.find((known) => known === word);
    if (level !== undefined) return level;
    this.#fail(
      place.within('rule priority', (item.get('priority') as YamlNode).mark),
      `'${word}' is not a priority; expected one of ${levels.join(', ')}`,
    );
  }

  /** The event source of an item. Falco ignores an empty one. */
  #sourceOf(item: MapNode): string | undefined {
    const node = item.get('source');
    return node?.kind === 'scalar' && node.text !== '' ? node.text : undefined;
  }

  #texts(item: MapNode, key: string, place: Place): { text: string; node: ScalarNode }[] {
    const list = item.get(key);
    if (list === undefined) this.#fail(place, `the item has no ${key}`);
    const listPlace = place.within('value for', list.mark, key);
    if (list.kind !== 'sequence') this.#fail(listPlace, `${key} must be a list`);
    return list.items.map((node) => {
      if (node.kind !== 'scalar')
        this.#fail(listPlace.within('list item', node.mark), `${key} must contain only texts`);
      return { text: node.text, node };
    });
  }

  #scalar(item: MapNode, key: string, place: Place): ScalarNode {
    const node = item.get(key);
    if (node === undefined) this.#fail(place, `the item has no ${key}`);
    if (node.kind === 'null') this.#fail(place, `${key} is empty`);
    const valuePlace = place.within('value for', node.mark, key);
    if (node.kind !== 'scalar') this.#fail(valuePlace, `${key} must be a text`);
    if (node.text === '') this.#fail(valuePlace, `${key} is empty`);
    return node;
  }

  #text(item: MapNode, key: string, place: Place): string {
    return this.#scalar(item, key, place).text;
  }

  #optionalText(item: MapNode, key: string, place: Place): string | undefined {
    return item.get(key) === undefined ? undefined : this.#text(item, key, place);
  }

  #composedValue(item: MapNode, key: string, place: Place, isTrimmed = false): Composed {
    const node = this.#scalar(item, key, place);
    if (!isTrimmed) return this.#composed(node.text, node);
    const whole = this.#composed(node.text, node);
    const from = node.text.length - node.text.trimStart().length;
    return new Composed().appendSlice(whole, from, node.text.trimEnd().length);
  }

  #composed(text: string, node: ScalarNode): Composed {
    return Composed.of(text, { file: this.#file, node });
  }

  #flag(item: MapNode, key: string, place: Place): boolean | undefined {
    if (item.get(key) === undefined) return undefined;
    const node = this.#scalar(item, key, place);
    const value = parseFlag(node.text);
    if (value === undefined)
      this.#fail(
        place.within('value for', node.mark, key),
        `${key} must be true or false, not '${node.text}'`,
      );
    return value;
  }

  #number(item: MapNode, key: string, place: Place): number | undefined {
    if (item.get(key) === undefined) return undefined;
    const node = this.#scalar(item, key, place);
    const value = parseUnsigned(node.text);
    if (value === undefined)
      this.#fail(
        place.within('value for', node.mark, key),
        `${key} must be a whole number, not '${node.text}'`,
      );
    return value;
  }

  #checkKeys(item: MapNode, known: readonly string[], place: Place): void {
    for (const { key } of item.pairs) {
      const name = wordOf(key) ?? '';
      if (!known.includes(name)) this.#warn('LOAD_UNKNOWN_KEY', `unknown key '${name}'`, place);
    }
  }

  #warn(code: WarningCode, message: string, place: Place): void {
    this.#diagnostics.push(place.diagnostic('warning', code, message));
  }

  #fail(place: Place, message: string): never {
    throw new LoadError('LOAD_ERR_YAML_VALIDATE', message, place);
  }
}

interface Overrides {
  append: Set<string>;
  replace: Set<string>;
}

/** A scalar as text; an empty value is the text null. */
function wordOf(node: YamlNode): string | undefined {
  if (node.kind === 'null') return 'null';
  return node.kind === 'scalar' ? node.text : undefined;
}

const yes = ['y', 'yes', 'true', 'on'];
const no = ['n', 'no', 'false', 'off'];

/** Accepts lower case, upper case, or a capital first letter. */
function parseFlag(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  const isWord =
    text === lower ||
    text === text.toUpperCase() ||
    text === lower.charAt(0).toUpperCase() + lower.slice(1);
  if (!isWord) return undefined;
  return yes.includes(lower) ? true : no.includes(lower) ? false : undefined;
}

/** A whole number up to 2^32 - 1; hexadecimal with 0x, octal with 0. */
function parseUnsigned(text: string): number | undefined {
  const word = text.trim();
  const number = /^\+?0[0-7]+$/.test(word)
    ? Number.parseInt(word, 8)
    : /^\+?(0[xX][0-9a-fA-F]+|0|[1-9]\d*)$/.test(word)
      ? Number(word.replace('+', ''))
      : Number.NaN;
  return number <= 0xffff_ffff ? number : undefined;
}
