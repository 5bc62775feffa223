import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './corpus.js';

/** Programs that are written for libSysFlow. */
export const programSources = join(root, 'test/package/consumer/libsysflow');
export const programs = ['seed', 'count', 'json', 'errors', 'signals', 'types'] as const;
export type Program = (typeof programs)[number];

/** Runs a command; throws with its messages if it fails. */
export function succeed(command: string, args: readonly string[], cwd = root): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', cwd });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}\n${error ?? stderr}`);
  return stdout;
}

/** Whether a command exists. */
export const exists = (command: string) => spawnSync(command, ['--version']).status === 0;

/** Installs what `npm run setup -- --tests` has built, like a package; returns the prefix. */
export function installInto(prefix: string): string {
  const build = join(root, 'native/build');
  succeed('cmake', ['--install', build, '--component', 'engine', '--prefix', prefix]);
  return prefix;
}

/** How a program is linked. */
export interface Build {
  compiler: string;
  /** The archive, or the shared library. */
  library: 'archive' | 'shared';
  /** Further options. */
  options?: readonly string[];
}

/** Compiles a program of `programSources` against an installed tree; returns the program's path. */
export function compile(prefix: string, program: Program, build: Build, output: string): string {
  const include = join(prefix, 'include');
  const lib = join(prefix, 'lib');
  const library =
    build.library === 'archive'
      ? [join(lib, 'libsysflow.a'), '-lz', '-lpthread', '-ldl']
      : [`-L${lib}`, `-Wl,-rpath,${lib}`, '-lsysflow'];
  const warnings = ['-Wall', '-Wextra', '-Wpedantic', '-Werror', '-Wno-unused-parameter'];
  succeed(build.compiler, [
    ...['-std=c++17', ...warnings, `-I${include}`, `-I${join(include, 'sysflow')}`],
    ...[join(programSources, `${program}.cpp`), '-o', output],
    ...library,
    ...(build.options ?? []),
  ]);
  if (!existsSync(output)) throw new Error(`${output}: not written`);
  return output;
}
