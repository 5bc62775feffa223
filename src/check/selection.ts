import { SfkitError } from '../engine/errors.js';
import { nearest } from '../engine/nearest.js';
import type { Rule } from './finding.js';
import { isAtLeast, type Level } from './levels.js';

// Selects the rules to evaluate: those that their files enable, changed by the user's switches.

/** Switches rules on or off by name, by a pattern (* matches any text), or by tag. */
export interface RuleSwitch {
  enabled: boolean;
  rules: string;
}

export interface Selection {
  /** Applied in this order: a later switch overrides an earlier one. */
  switches?: readonly RuleSwitch[] | undefined;
  /** Only rules with one of these tags. */
  tags?: readonly string[] | undefined;
  /** Only rules of this level or a more severe one. */
  minLevel?: Level | undefined;
}

/** The selected rules in their order, followed by those that a switch turned on. */
export function selectRules(
  rules: readonly Rule[],
  { switches = [], tags, minLevel }: Selection,
): Rule[] {
  const chosen = new Set(rules.filter(({ enabled }) => enabled));
  for (const { enabled, rules: named } of switches) {
    for (const rule of rulesNamed(rules, named)) {
      if (enabled) chosen.add(rule);
      else chosen.delete(rule);
    }
  }
  for (const tag of tags ?? []) {
    if (!rules.some((rule) => rule.tags.includes(tag)))
      fail(`no rule has the tag '${tag}'`, tag, allTags(rules));
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
  fail(`no rule or tag is named '${named}'`, named, [
    ...rules.map(({ name }) => name),
    ...allTags(rules),
  ]);
}

/** Whether the text matches the pattern; * matches any text. */
export function hasPattern(text: string, pattern: string): boolean {
  return holdsParts(text, pattern.split(/\*+/));
}

/** Whether the text consists of these parts with any text between them. */
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

const maxSuggestion = 200;

function fail(message: string, word: string, known: readonly string[]): never {
  const short = known.filter(({ length }) => length <= maxSuggestion);
  const likely = nearest(word.slice(0, maxSuggestion), short);
  throw new SfkitError(
    'INVALID_ARGUMENT',
    likely === undefined ? message : `${message}; did you mean '${likely}'?`,
  );
}
