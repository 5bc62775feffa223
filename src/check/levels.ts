import { SfkitError } from '../engine/errors.js';
import { nearest } from '../engine/nearest.js';

// Each language has levels of its own. They are compared on the scale of syslog, the finest of them.

/** Most severe first. */
export const levels = [
  'emergency',
  'alert',
  'critical',
  'error',
  'warning',
  'notice',
  'informational',
  'debug',
] as const;
export type Level = (typeof levels)[number];

/** What other languages and people call them. */
const otherWords: Readonly<Record<string, Level>> = {
  high: 'error',
  medium: 'warning',
  low: 'notice',
  info: 'informational',
};

/** The level that a word of any language means; undefined for none. */
export function levelOf(word: string): Level | undefined {
  const lower = word.toLowerCase();
  return levels.find((level) => level === lower) ?? otherWords[lower];
}

/** Whether the word's level is as severe as the other one, or more. */
export function isAtLeast(word: string, least: Level): boolean {
  return rankOf(word) <= levels.indexOf(least);
}

/** 0 is the most severe. A word that no language has is the least. */
export function rankOf(word: string): number {
  const level = levelOf(word);
  return level === undefined ? levels.length - 1 : levels.indexOf(level);
}

/** The level of an option, which refuses words that are none. */
export function parseLevel(option: string, word: string): Level {
  const level = levelOf(word);
  if (level !== undefined) return level;
  const likely = nearest(word.toLowerCase(), [...levels, ...Object.keys(otherWords)]);
  const advice = likely === undefined ? `it is one of ${levels.join(', ')}` : `did you mean '${likely}'?`;
  throw new SfkitError('INVALID_ARGUMENT', `${option}: '${word}' is no level; ${advice}`);
}
