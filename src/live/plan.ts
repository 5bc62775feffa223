import { join } from 'node:path';
import { SfkitError } from '../engine/errors.js';
import { type Conversion, type Format, planOne } from '../export/plan.js';
import { isStream } from '../output/sink.js';

/** The input's name in records of a live capture. */
export const liveName = 'live';

/** The output of a live capture. */
export interface LivePlan extends Conversion {
  /** Seconds after which a new file, or directory of tables, starts; 0 never. */
  rotate: number;
}

/** Determines format and output; throws INVALID_ARGUMENT if the options contradict each other. */
export function planLive(format: Format | undefined, output = '-', rotate = 0): LivePlan {
  const plan = {
    ...planOne(liveName, false, format ?? (output === '-' ? 'jsonl' : undefined), output),
    rotate,
  };
  if (plan.format === 'duckdb') {
    refuse(
      `${output}: live cannot write a database; write tables with -o DIR/ and convert them later`,
    );
  }
  if (rotate === 0) return plan;
  if (plan.shape === 'stdout')
    refuse('standard output cannot be rotated; name a directory with -o DIR/');
  if (isStream(plan.output)) refuse(`${plan.output} is a device or pipe, which cannot be rotated`);
  if (plan.format !== 'avro' && plan.shape === 'file') {
    refuse(
      `${plan.output} is one file; --rotate needs a directory, -o DIR/, and writes a subdirectory per interval`,
    );
  }
  return plan;
}

/** The directory of one rotation: its name is the first second, in a form that sorts by time. */
export function rotationDirectory(parent: string, second: number): string {
  const time = new Date(second * 1000).toISOString().replace(/[-:]|\.\d+/g, '');
  return join(parent, time);
}

function refuse(message: string): never {
  throw new SfkitError('INVALID_ARGUMENT', message);
}
