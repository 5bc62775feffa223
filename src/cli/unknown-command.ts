import type { Hook } from '@oclif/core';
import { SfkitError } from '../engine/errors.js';
import { nearest } from '../engine/nearest.js';

/** Says which command was likely meant. */
const hook: Hook<'command_not_found'> = async ({ id, config }) => {
  const name = id.split(':')[0] ?? id;
  const known = config.commands.filter((command) => !command.hidden).map((command) => command.id);
  const likely = nearest(name, known);
  const advice = likely === undefined ? 'sfkit --help lists the commands' : `did you mean '${likely}'?`;
  throw new SfkitError('INVALID_ARGUMENT', `unknown command '${name}'; ${advice}`);
};

export default hook;
