import type { Screen } from './types.js';

interface Output {
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Width assumed for a terminal that does not report one. */
export const defaultColumns = 80;

/** The terminal that an output writes to; undefined for a file or pipe. */
export function screenOf(output: Output, environment: Environment): Screen | undefined {
  if (!output.isTTY) return undefined;
  return {
    columns: output.columns || defaultColumns,
    rows: output.rows || undefined,
    color: hasColor(environment),
  };
}

/** The screen of standard output. */
export const standardScreen = (): Screen | undefined => screenOf(process.stdout, process.env);

function hasColor({ FORCE_COLOR, NO_COLOR, TERM }: Environment): boolean {
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return (NO_COLOR ?? '') === '' && TERM !== 'dumb';
}
