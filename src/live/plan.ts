import { join } from 'node:path';
import { SfkitError } from '../engine/errors.js';
import { type Conversion, type Format, planOne } from '../export/plan.js';
import { isStream } from '../output/sink.js';

/** What records of a running kernel are called where a capture would have its name. */
export const liveName = 'live';

/** Where the records of a live capture go. */
export interface LivePlan extends Conversion {
  /** Seconds after which a new file, or directory of tables, begins; 0 never. */
  rotate: number;
}

/** Decides format and output; throws INVALID_ARGUMENT where the wishes contradict each other. */
export function planLive(format: Format | undefined, output = '-', rotate = 0): LivePlan {
  const plan = { ...planOne(liveName, false, format ?? (output === '-' ? 'jsonl' : undefined), output), rotate };
  if (plan.format === 'duckdb') {
    refuse(
      `${output} would be a database, which live does not write; write tables with -o DIR/ and convert them later`,
    );
  }
  if (rotate === 0) return plan;
  if (plan.shape === 'stdout') refuse('standard output cannot be rotated; name a directory with -o DIR/');
  if (isStream(plan.output)) refuse(`${plan.output} is a device or pipe, which cannot be rotated`);
  if (plan.format !== 'avro' && plan.shape === 'file') {
    refuse(`${plan.output} is one file; with --rotate name a directory with -o DIR/, which gets a directory each time`);
  }
  return plan;
}

/** The directory of one rotation: called after its first second, in an order that sorts by time. */
export function rotationDirectory(parent: string, second: number): string {
  const time = new Date(second * 1000).toISOString().replace(/[-:]|\.\d+/g, '');
  return join(parent, time);
}

function refuse(message: string): never {
  throw new SfkitError('INVALID_ARGUMENT', message);
}
