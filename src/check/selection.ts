import { SfkitError } from '../engine/errors.js';
import { nearest } from '../engine/nearest.js';
import type { Rule } from './finding.js';
import { isAtLeast, type Level } from './levels.js';

// Which rules take part: those that their files switch on, as the user changes it.

/** Switches rules on or off by a name, a pattern in which * stands for any text, or a tag. */
export interface RuleSwitch {
  enabled: boolean;
  rules: string;
}

export interface Selection {
  /** One after the other: a later one may take back what an earlier one did. */
  switches?: readonly RuleSwitch[] | undefined;
  /** Only rules with one of these tags. */
  tags?: readonly string[] | undefined;
  /** Only rules of this level and more severe ones. */
  minLevel?: Level | undefined;
}

/** The rules that take part, in their order; those that were switched on come after those that were on. */
export function selectRules(rules: readonly Rule[], { switches = [], tags, minLevel }: Selection): Rule[] {
  const chosen = new Set(rules.filter(({ enabled }) => enabled));
  for (const { enabled, rules: named } of switches) {
    for (const rule of rulesNamed(rules, named)) {
      if (enabled) chosen.add(rule);
      else chosen.delete(rule);
    }
  }
  for (const tag of tags ?? []) {
    if (!rules.some((rule) => rule.tags.includes(tag))) refuse(`no rule has the tag '${tag}'`, tag, allTags(rules));
  }
  return [...chosen].filter(
    (rule) =>
      (tags === undefined || tags.length === 0 || tags.some((tag) => rule.tags.includes(tag))) &&
      (minLevel === undefined || isAtLeast(rule.level, minLevel)),
  );
}

function rulesNamed(rules: readonly Rule[], named: string): Rule[] {
  const parts = named.split(/\*+/);
  const byName = rules.filter(({ name }) => holdsParts(name, parts));
  const found = byName.length > 0 ? byName : rules.filter(({ tags }) => tags.includes(named));
  if (found.length > 0) return found;
  refuse(`no rule and no tag is called '${named}'`, named, [...rules.map(({ name }) => name), ...allTags(rules)]);
}

/** Whether the text is this one, in which * stands for any text. */
export function hasPattern(text: string, pattern: string): boolean {
  return holdsParts(text, pattern.split(/\*+/));
}

/** Whether the text is these parts with any text between them. */
function holdsParts(text: string, parts: readonly string[]): boolean {
  const [first = '', ...others] = parts;
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

function allTags(rules: readonly Rule[]): string[] {
  return [...new Set(rules.flatMap(({ tags }) => tags))];
}

const longestSuggestion = 200;

function refuse(message: string, word: string, known: readonly string[]): never {
  const short = known.filter(({ length }) => length <= longestSuggestion);
  const likely = nearest(word.slice(0, longestSuggestion), short);
  throw new SfkitError('INVALID_ARGUMENT', likely === undefined ? message : `${message}; did you mean '${likely}'?`);
}
