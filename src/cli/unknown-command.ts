import type { Hook } from '@oclif/core';
import { SfkitError } from '../engine/errors.js';
import { nearest } from '../engine/nearest.js';

/** Suggests the intended command, or names the excess argument. */
const hook: Hook<'command_not_found'> = async ({ id, config }) => {
  const [name = id, ...rest] = id.split(':');
  const known = config.commands.filter((command) => !command.hidden).map((command) => command.id);
  // For a command without arguments, the parser adds what follows to the command's name.
  if (known.includes(name)) {
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `${name} takes no argument '${rest.join(':')}'; see sfkit ${name} --help`,
    );
  }
  const likely = nearest(name, known);
  const advice =
    likely === undefined ? 'sfkit --help lists the commands' : `did you mean '${likely}'?`;
  throw new SfkitError('INVALID_ARGUMENT', `unknown command '${name}'; ${advice}`);
};

export default hook;
