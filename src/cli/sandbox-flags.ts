import * as Flags from '@oclif/core/flags';
import { SfkitError } from '../engine/errors.js';
import { parseSize } from '../query/size.js';

const helpGroup = 'LIMITS';

/** Less would not hold the rows of one step. */
const minMemory = 32e6;

/** The flags that limit what SQL can do and use. */
export const sandboxFlags = {
  sandbox: Flags.boolean({
    helpGroup,
    description:
      'for SQL of others: it reaches only the tables of the inputs, and no file, network, extension or setting',
  }),
  'memory-limit': Flags.string({
    helpGroup,
    helpValue: 'SIZE',
    description:
      'memory for SQL, such as 2GB; beyond it, data goes to a temporary file (default: 80% of the memory)',
  }),
  threads: Flags.integer({
    helpGroup,
    helpValue: 'N',
    min: 1,
    max: 1024,
    default: 1,
    description: 'threads for SQL; with more than one, rows without ORDER BY can come in any order',
  }),
};

/** The flags as options of a dataset. */
export function sandboxOptions(flags: {
  sandbox: boolean;
  'memory-limit'?: string | undefined;
  threads: number;
}): {
  sandbox: boolean;
  threads: number;
  memoryLimit: string | undefined;
} {
  const { sandbox, threads, 'memory-limit': text } = flags;
  const bytes = text === undefined ? undefined : parseSize('--memory-limit', text);
  if (bytes !== undefined && bytes < minMemory)
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `--memory-limit: '${text}' is too little: DuckDB needs 32MB`,
    );
  return { sandbox, threads, memoryLimit: bytes === undefined ? undefined : `${bytes}B` };
}
