import { SfkitError } from '../engine/errors.js';
import { nearest } from '../engine/nearest.js';

// Each rule language has its own levels. All are mapped to the syslog scale, which is the finest.

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

/** Other names of levels, in rule languages and in flags. */
const aliases: Readonly<Record<string, Level>> = {
  high: 'error',
  medium: 'warning',
  low: 'notice',
  info: 'informational',
};

/** Level for a word of any language; undefined if there is none. */
export function levelOf(word: string): Level | undefined {
  const lower = word.toLowerCase();
  return levels.find((level) => level === lower) ?? aliases[lower];
}

/** Whether the word's level is at least as severe as `minimum`. */
export function isAtLeast(word: string, minimum: Level): boolean {
  return rankOf(word) <= levels.indexOf(minimum);
}

/** 0 is the most severe. An unknown word ranks as the least severe. */
export function rankOf(word: string): number {
  const level = levelOf(word);
  return level === undefined ? levels.length - 1 : levels.indexOf(level);
}

/** Parses the value of an option; throws INVALID_ARGUMENT for unknown words. */
export function parseLevel(option: string, word: string): Level {
  const level = levelOf(word);
  if (level !== undefined) return level;
  const likely = nearest(word.toLowerCase(), [...levels, ...Object.keys(aliases)]);
  const advice =
    likely === undefined ? `expected one of ${levels.join(', ')}` : `did you mean '${likely}'?`;
  throw new SfkitError('INVALID_ARGUMENT', `${option}: '${word}' is not a level; ${advice}`);
}
