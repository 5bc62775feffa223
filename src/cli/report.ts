import { CLIError } from '@oclif/core/errors';
import { SfkitError } from '../engine/errors.js';
import { escapeForTerminal } from '../engine/escape.js';

/** What the exit codes of every command mean. */
export const exitCodes = {
  done: 0,
  failed: 1,
  wrongUsage: 2,
  /** The input was damaged; everything readable was written. */
  partial: 3,
  /** Rules found something. */
  findings: 4,
} as const;

/** An error as one line for a person (a wrong filter with two more that show where), and the exit code it means. */
export function explain(error: unknown): { message: string; exit: number } {
  const isArgument = error instanceof SfkitError && error.code === 'INVALID_ARGUMENT';
  const wrongUsage = isParseError(error) || isArgument;
  // Names in a message may hold line ends, which are escaped like everything else.
  const [, said, below] = (isArgument && markedFilter.exec(error.message)) || [];
  const lines = said === undefined || below === undefined ? [messageOf(error)] : [said, ...below.split('\n')];
  const message = lines.map(escapeForTerminal).join('\n');
  return { message, exit: wrongUsage ? exitCodes.wrongUsage : exitCodes.failed };
}

/** What is wrong with a filter; below it the filter in one line and a mark. */
const markedFilter = /^(filter, [\s\S]*)\n( {2}[^\n]*\n *\^)$/;

/** What the parser says of a value that a flag does not take. */
const wrongValue = /^Parsing (--\S+)\s+(.*)/;

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Other errors, like those of DuckDB, go on in further lines.
  if (error instanceof SfkitError || 'syscall' in error) return error.message;
  if (!isParseError(error)) return firstLine(error.message);
  const missing = (error as { args?: { name: string }[] }).args?.filter(({ name }) => name !== undefined) ?? [];
  if (missing.length > 0) return `missing argument: ${missing.map((arg) => arg.name).join(', ')}; see --help`;
  const [, flag, why] = wrongValue.exec(error.message) ?? [];
  if (flag !== undefined) return `${flag}: ${lowerFirst(why ?? '')}; see --help`;
  // The parser's messages have several lines and end with a hint we word ourselves.
  const lines = error.message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('See more help'));
  const said = lines.join(' ').replace(/^The following errors? occurred: */, '');
  return `${lowerFirst(said)}; see --help`;
}

function isParseError(error: unknown): boolean {
  // The parser's own kind, but for a flag at the very end.
  if (!(error instanceof CLIError)) return false;
  return 'parse' in error || error.message.endsWith(' expects a value') || wrongValue.test(error.message);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
