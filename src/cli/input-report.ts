import type { Summary } from '../engine/session.js';
import { exitCodes } from './report.js';
import { damageText, noteText } from './summary.js';

/** Prints notes and damage of inputs on standard error; returns the exit code. */
export function reportInputs(summaries: readonly { path: string; summary: Summary }[]): number {
  for (const { path, summary } of summaries) process.stderr.write(noteText(path, summary));
  const damaged = summaries.filter(({ summary }) => summary.damage.length > 0);
  for (const { path, summary } of damaged) process.stderr.write(damageText(path, summary));
  return damaged.length > 0 ? exitCodes.partial : 0;
}
