import { CLIError } from '@oclif/core/errors';
import { SfkitError, SqlError } from '../engine/errors.js';
import { escapeForTerminal } from '../engine/escape.js';

/** The exit codes of every command. */
export const exitCodes = {
  done: 0,
  failed: 1,
  wrongUsage: 2,
  /** The input is damaged; everything readable was written. */
  partial: 3,
  /** Rules found something. */
  findings: 4,
} as const;

/**
 * The message of an error (one line; a wrong filter or statement has more, which show the place)
 * and its exit code.
 */
export function explain(error: unknown): { message: string; exit: number } {
  const isArgument = error instanceof SfkitError && error.code === 'INVALID_ARGUMENT';
  const wrongUsage = isParseError(error) || isArgument;
  // Names in a message can contain newlines, which are escaped like everything else.
  const [, problem, below] = (isArgument && markedFilter.exec(error.message)) || [];
  const details = error instanceof SqlError ? error.details : [];
  const lines =
    problem === undefined || below === undefined
      ? [messageOf(error), ...details]
      : [problem, ...below.split('\n')];
  const message = lines.map(escapeForTerminal).join('\n');
  return { message, exit: wrongUsage ? exitCodes.wrongUsage : exitCodes.failed };
}

/** The error of a filter, followed by the filter in one line and a mark. */
const markedFilter = /^(filter, [\s\S]*)\n( {2}[^\n]*\n *\^)$/;

/** The flag of sysdig for its input. */
const sysdigInput = /^Nonexistent flag: -r$/;

/** The parser's message about an invalid value of a flag. */
const wrongValue = /^Parsing (--\S+)\s+(.*)/;

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Other errors, such as those of DuckDB, continue on further lines.
  if (error instanceof SfkitError || 'syscall' in error) return error.message;
  if (!isParseError(error)) return firstLine(error.message);
  const missing =
    (error as { args?: { name: string }[] }).args?.filter(({ name }) => name !== undefined) ?? [];
  if (missing.length > 0)
    return `missing argument: ${missing.map((arg) => arg.name).join(', ')}; see --help`;
  const [, flag, why] = wrongValue.exec(error.message) ?? [];
  if (flag !== undefined) return `${flag}: ${lowerFirst(why ?? '')}; see --help`;
  // The parser's messages have several lines and end with a hint that sfkit replaces.
  const lines = error.message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('See more help'));
  const text = lines.join(' ').replace(/^The following errors? occurred: */, '');
  const advice = sysdigInput.test(text) ? '; captures are arguments: leave out -r' : '; see --help';
  return `${lowerFirst(text)}${advice}`;
}

function isParseError(error: unknown): boolean {
  // The parser's own error class, except for a flag at the end without its value.
  if (!(error instanceof CLIError)) return false;
  return (
    'parse' in error || error.message.endsWith(' expects a value') || wrongValue.test(error.message)
  );
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
