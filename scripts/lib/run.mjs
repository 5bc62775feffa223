import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's directory. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** CI mode for builds and tests: warnings are errors, and a skipped test must give its reason. */
export const isStrict = process.env.SFKIT_STRICT === '1';

/** Prints progress to stderr, so that a script's own output stays clean. */
export function say(message) {
  process.stderr.write(`sfkit set-up: ${message}\n`);
}

/** Prints a message and ends the script. */
export function fail(message) {
  say(message);
  process.exit(1);
}

/** Runs a command with visible output; ends the script if it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (result.error) fail(`cannot run ${command}: ${result.error.message}`);
  if (result.status !== 0) fail(`\`${[command, ...args].join(' ')}\` failed`);
}

/** Runs a command silently; returns whether it exists and succeeds. */
export function succeeds(command, args, input) {
  const result = spawnSync(command, args, {
    input: input ?? '',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  return !result.error && result.status === 0;
}

/** Runs a script of an installed npm package with this Node. */
export function runNode(script, args, options = {}) {
  run(process.execPath, [script, ...args], options);
}
