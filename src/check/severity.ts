import { rankOf } from './levels.js';

// Severity scales of services: one value for each rank of levels.ts.

type ByRank<Value> = readonly [Value, Value, Value, Value, Value, Value, Value, Value];

const scores: ByRank<string> = ['10.0', '9.8', '9.5', '8.0', '5.5', '3.0', '0.5', '0.1'];
const sarifLevels: ByRank<'error' | 'warning' | 'note'> = [
  ...(['error', 'error', 'error', 'error'] as const),
  ...(['warning', 'note', 'note', 'note'] as const),
];
const qualities: ByRank<'blocker' | 'critical' | 'major' | 'minor' | 'info'> = [
  ...(['blocker', 'blocker', 'blocker', 'critical'] as const),
  ...(['major', 'minor', 'info', 'info'] as const),
];

/** GitHub code scanning: above 9.0 critical, from 7.0 high, from 4.0 medium, else low. */
export function securityScore(level: string): string {
  return scores[rankOf(level)] as string;
}

export function sarifLevel(level: string) {
  return sarifLevels[rankOf(level)] as (typeof sarifLevels)[number];
}

/** GitLab Code Quality. */
export function codeQuality(level: string) {
  return qualities[rankOf(level)] as (typeof qualities)[number];
}
