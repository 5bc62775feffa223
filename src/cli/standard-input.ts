import { SfkitError } from '../engine/errors.js';
import { standardInput } from '../engine/input-kind.js';

/** Rejects a terminal as standard input: nobody types a capture. */
export function refuseTerminalInput(inputs: readonly string[]): void {
  if (inputs.includes(standardInput) && process.stdin.isTTY) {
    throw new SfkitError('INVALID_ARGUMENT', 'standard input is a terminal; redirect a capture into it');
  }
}
