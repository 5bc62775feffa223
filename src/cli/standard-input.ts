import { SfkitError } from '../engine/errors.js';
import { standardInput } from '../engine/input-kind.js';

/**
 * Rejects a terminal as standard input, because nobody types a capture, and standard input that is
 * named twice.
 */
export function refuseTerminalInput(inputs: readonly string[]): void {
  if (inputs.filter((input) => input === standardInput).length > 1)
    throw new SfkitError('INVALID_ARGUMENT', 'standard input can be read only once');
  if (inputs.includes(standardInput) && process.stdin.isTTY) {
    throw new SfkitError(
      'INVALID_ARGUMENT',
      'standard input is a terminal; redirect a capture into it',
    );
  }
}

/** Whether a user can enter statements and see the answers. */
export function canRunShell(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true;
}
