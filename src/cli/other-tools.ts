import { readdirSync } from 'node:fs';
import { SfkitError } from '../engine/errors.js';

// Command lines in the way of other tools, answered with the command of sfkit.

/** A word as a POSIX shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Chisels of sysdig and the arguments of sfkit that answer them, before and after the capture. */
const chisels: Readonly<Record<string, (capture: string) => string>> = {
  topprocs_cpu: (capture) => `top cpu ${capture}`,
  topprocs_file: (capture) => `top processes ${capture} --by bytes`,
  topprocs_net: (capture) => `top connections ${capture}`,
  topprocs_errors: (capture) => `top errors ${capture}`,
  topfiles_bytes: (capture) => `top files ${capture} --by bytes`,
  topfiles_errors: (capture) => `top errors ${capture}`,
  topconns: (capture) => `top connections ${capture}`,
  topports_server: (capture) => `top ports ${capture}`,
  topscalls: (capture) => `top syscalls ${capture}`,
  topscalls_time: (capture) => `top slow-calls ${capture}`,
  bottlenecks: (capture) => `top slow-calls ${capture}`,
  lscontainers: (capture) => `query ${capture} "from container"`,
  ps: (capture) => `ps ${capture}`,
  lsof: (capture) => `lsof ${capture}`,
  netstat: (capture) => `netstat ${capture}`,
};

/** The flags of sysdig with a value. */
const withValue = new Set(['-r', '-c', '-n', '-w', '-p', '-s']);

/**
 * The command of sfkit for the arguments of sysdig (`-r FILE [-c CHISEL] [-n N] [-w FILE]
 * [FILTER]`); undefined for anything else. `known`: the commands that there are.
 */
export function sysdigHint(args: readonly string[], known: readonly string[]): string | undefined {
  const values = new Map<string, string>();
  const words: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] as string;
    const flag = arg.slice(0, 2);
    if (!withValue.has(flag)) {
      if (!arg.startsWith('-')) words.push(arg);
      continue;
    }
    const value = arg.length > 2 ? arg.slice(2) : args[++index];
    if (value !== undefined) values.set(flag, value);
  }
  if (!['-r', '-c', '-w', '-n'].some((flag) => values.has(flag))) return undefined;
  const read = values.get('-r');
  const capture = quoted(read ?? 'capture.scap');
  const filter = words.length === 0 ? '' : ` --filter ${quoted(words.join(' '))}`;
  const limit = values.has('-n') ? ` -n ${quoted(values.get('-n') as string)}` : '';
  const chisel = values.get('-c');
  if (chisel !== undefined) {
    const answer = Object.hasOwn(chisels, chisel) ? chisels[chisel]?.(capture) : undefined;
    const isKnown = answer !== undefined && known.includes(answer.split(' ')[0] as string);
    return isKnown
      ? `sfkit ${answer}`
      : `sfkit query --list, whose queries answer what chisels answer`;
  }
  if (read === undefined) {
    const output = values.get('-w');
    return output === undefined
      ? `sfkit live${limit}${filter}`
      : `sfkit record -o ${quoted(output)}${limit}`;
  }
  if (values.has('-w')) return `sfkit recover ${capture} -o ${quoted(values.get('-w') as string)}`;
  const print = values.has('-p') ? ` -p ${quoted(values.get('-p') as string)}` : '';
  return `sfkit events ${capture}${filter}${print}${limit}`;
}

/** Rejects the arguments of sysdig with the command of sfkit. */
export function refuseSysdig(args: readonly string[]): void {
  // No command of sfkit starts like this.
  if (!/^-[rcnw]/.test(args[0] ?? '')) return;
  const commands = readdirSync(new URL('../commands', import.meta.url)).map((name) =>
    name.replace(/\..*$/, ''),
  );
  const hint = sysdigHint(args, commands);
  if (hint === undefined) return;
  throw new SfkitError(
    'INVALID_ARGUMENT',
    `${args[0]} is a flag of sysdig; the command of sfkit is: ${hint}`,
  );
}
