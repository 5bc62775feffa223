import { SfkitError } from '../engine/errors.js';
import {
  type Conversion,
  type Format,
  planOne,
  refuseSameOutputs,
  type WantedOutput,
  withRotation,
} from '../export/plan.js';

/** The input's name in records of a live capture. */
export const liveName = 'live';

/** The output of a live capture. */
export interface LivePlan extends Conversion {
  /** Seconds after which a new file, or directory of tables, starts; 0 never. */
  rotate: number;
}

/** Plans all outputs of a live capture. */
export function planLiveOutputs(wanted: readonly WantedOutput[], rotate: number): LivePlan[] {
  const plans = wanted.map(({ format, output }) => planLive(format, output, rotate));
  refuseSameOutputs(plans);
  return plans;
}

/** Determines format and output; throws INVALID_ARGUMENT if the options contradict each other. */
export function planLive(format: Format | undefined, output = '-', rotate = 0): LivePlan {
  const plan = {
    ...planOne(liveName, false, format ?? (output === '-' ? 'jsonl' : undefined), output),
    rotate,
  };
  if (plan.format === 'duckdb') {
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `${output}: live cannot write a database; write tables with -o DIR/ and convert them later`,
    );
  }
  return withRotation(plan, rotate);
}
