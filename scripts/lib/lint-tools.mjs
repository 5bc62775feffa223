import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fail, isStrict, root, say, succeeds } from './run.mjs';
import { installWithApt } from './system.mjs';

/**
 * Debian includes the version in some names; another version of these formats differently and
 * reports other findings.
 */
const tools = { format: 'clang-format-14', tidy: 'clang-tidy-14', callgrind: 'valgrind' };

/**
 * The command of a tool, or undefined if it is missing. CI installs missing tools and fails without
 * them.
 */
export function toolFor(purpose) {
  const name = tools[purpose];
  if (succeeds(name, ['--version'])) return name;
  if (!isStrict) {
    say(`${name} is not installed: this check is left out`);
    return undefined;
  }
  if (!installWithApt([name]) || !succeeds(name, ['--version']))
    fail(`${name} is not installed, and CI needs it`);
  return name;
}

/** Lines that git prints; none if it fails. */
export function gitLines(...args) {
  const { status, stdout } = spawnSync('git', args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return status === 0 ? stdout.split('\n').filter(Boolean) : [];
}

/** The C++ files that clang-format checks. */
export function cppFiles() {
  return gitLines('ls-files', 'native/*.h', 'native/*.cpp');
}

/** The sources that clang-tidy can read on this machine. */
export function sourcesToTidy() {
  return gitLines('ls-files', 'native/src/*.cpp', 'native/addon/*.cpp').filter(isBuiltHere);
}

/**
 * The sources that changed since the main branch, or all if git knows no main branch; at most
 * `max`, and others in each commit.
 */
export function changedSources(max) {
  const all = sourcesToTidy();
  const changed = changedFiles(process.env.SFKIT_BASE);
  const affected =
    changed === undefined
      ? all
      : all.filter((file) => changed.has(file) || changed.has(header(file)));
  const [commit = ''] = gitLines('rev-parse', 'HEAD');
  return leading(affected, commit, max);
}

const header = (source) => source.replace(/\.cpp$/, '.h');

/**
 * Tests take long and contain intentional violations; sources for other systems do not compile
 * here.
 */
const isBuiltHere = (file) => !file.endsWith('_test.cpp') && !/\/live\/unsupported\//.test(file);

/** Names of the changed files, or undefined if no base is known. */
function changedFiles(base) {
  const candidates = base ? [base] : ['origin/main', 'main', 'origin/master', 'master'];
  const [head] = gitLines('rev-parse', 'HEAD');
  const found = candidates
    .flatMap((name) => gitLines('merge-base', 'HEAD', name))
    .find((commit) => commit !== head);
  // On the main branch itself: the changes of the last commit.
  const [from] = found ? [found] : gitLines('rev-parse', '--verify', '--quiet', 'HEAD~1');
  if (from === undefined) return undefined;
  return new Set(gitLines('diff', '--name-only', from));
}

/** The first `max`, in an order that depends on the commit. */
function leading(files, commit, max) {
  const rank = (file) => createHash('sha256').update(`${commit} ${file}`).digest('hex');
  return files
    .map((file) => ({ file, rank: rank(file) }))
    .sort((left, right) => (left.rank < right.rank ? -1 : 1))
    .slice(0, max)
    .map(({ file }) => file);
}

/** Directory of the compilation database that CMake wrote. */
export function compileCommands() {
  const build = join(root, 'native', 'build');
  return existsSync(join(build, 'compile_commands.json')) ? build : undefined;
}
