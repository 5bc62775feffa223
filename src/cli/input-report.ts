import type { Summary } from '../engine/session.js';
import { exitCodes } from './report.js';
import { damageText, forgottenText, isPartial, noteText } from './summary.js';

/** Prints notes, losses and damage of inputs on standard error; returns the exit code. */
export function reportInputs(summaries: readonly { path: string; summary: Summary }[]): number {
  for (const { path, summary } of summaries) process.stderr.write(noteText(path, summary));
  const partial = summaries.filter(({ summary }) => isPartial(summary));
  for (const { path, summary } of partial) process.stderr.write(forgottenText(path, summary));
  for (const { path, summary } of partial) process.stderr.write(damageText(path, summary));
  return partial.length > 0 ? exitCodes.partial : 0;
}
