import * as Flags from '@oclif/core/flags';
import { standardScreen } from '../draw/screen.js';
import type { DrawOptions } from '../draw/types.js';
import { SfkitError } from '../engine/errors.js';

const helpGroup = 'OUTPUT';

/** Pager flag of commands with long output. */
export const pagerFlag = {
  'no-pager': Flags.boolean({
    helpGroup,
    description:
      'print output longer than the screen without a pager ($SFKIT_PAGER, $PAGER or less)',
  }),
};

/** Output flag of commands that print text. */
export const outputFlag = Flags.string({
  char: 'o',
  helpGroup,
  helpValue: 'FILE',
  default: '-',
  description: 'file to write, or - for standard output',
});

/** Flags that limit a drawn table. */
export const drawFlags = {
  rows: Flags.integer({
    char: 'n',
    helpGroup,
    helpValue: 'N',
    min: 1,
    exclusive: ['all'],
    description: 'write at most N rows (default: 100 of a table on a terminal, else all)',
  }),
  all: Flags.boolean({ helpGroup, description: 'draw all rows on a terminal too' }),
  ...pagerFlag,
};

/** Default maximum rows on a terminal. */
const screenRows = 100;

interface DrawFlags {
  format: string;
  rows: number | undefined;
  all: boolean;
}

/** Rejects -n for a format that is not a list of rows. */
export function refuseRows({ format, rows }: Pick<DrawFlags, 'format' | 'rows'>): void {
  if (rows === undefined) return;
  throw new SfkitError('INVALID_ARGUMENT', `-n: --format ${format} always has everything`);
}

/** Converts the flags to drawing options; `isStandardOutput` if no file is named. */
export function drawOptions(
  { rows, all }: Omit<DrawFlags, 'format'>,
  isStandardOutput = true,
): DrawOptions {
  const screen = isStandardOutput ? standardScreen() : undefined;
  return { screen, limit: rows ?? (screen === undefined || all ? undefined : screenRows) };
}
