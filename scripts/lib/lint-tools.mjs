import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fail, isStrict, root, say, succeeds } from './run.mjs';
import { installWithApt } from './system.mjs';

/** Debian names them by their version; another version formats differently and finds other things. */
const tools = { format: 'clang-format-14', tidy: 'clang-tidy-14' };

/** The command of a tool, or undefined where it is missing. CI installs what is missing, and fails without it. */
export function toolFor(purpose) {
  const name = tools[purpose];
  if (succeeds(name, ['--version'])) return name;
  if (!isStrict) {
    say(`${name} is not installed: this check is left out`);
    return undefined;
  }
  if (!installWithApt([name]) || !succeeds(name, ['--version'])) fail(`${name} is not installed, and CI needs it`);
  return name;
}

/** Lines that git prints; none where it fails. */
export function gitLines(...args) {
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  return status === 0 ? stdout.split('\n').filter(Boolean) : [];
}

/** The C++ files that clang-format watches. */
export function cppFiles() {
  return gitLines('ls-files', 'native/*.h', 'native/*.cpp');
}

/** The sources that clang-tidy can read on this machine. */
export function sourcesToTidy() {
  return gitLines('ls-files', 'native/src/*.cpp', 'native/addon/*.cpp').filter(isBuiltHere);
}

/**
 * Those that changed since the main branch, or all where git knows no main branch; at most `most`, others in each
 * commit.
 */
export function changedSources(most) {
  const all = sourcesToTidy();
  const changed = changedFiles(process.env.SFKIT_BASE);
  const affected = changed === undefined ? all : all.filter((file) => changed.has(file) || changed.has(header(file)));
  const [commit = ''] = gitLines('rev-parse', 'HEAD');
  return leading(affected, commit, most);
}

const header = (source) => source.replace(/\.cpp$/, '.h');

/** Tests take long and hold what the checks warn of on purpose; sources for other systems do not compile here. */
const isBuiltHere = (file) => !file.endsWith('_test.cpp') && !/\/live\/(elsewhere|unsupported)\//.test(file);

/** Names of the files that changed, or undefined where no base is known. */
function changedFiles(base) {
  const candidates = base ? [base] : ['origin/main', 'main', 'origin/master', 'master'];
  const [head] = gitLines('rev-parse', 'HEAD');
  const found = candidates.flatMap((name) => gitLines('merge-base', 'HEAD', name)).find((commit) => commit !== head);
  // On the main branch itself: what the last commit brought.
  const [from] = found ? [found] : gitLines('rev-parse', '--verify', '--quiet', 'HEAD~1');
  if (from === undefined) return undefined;
  return new Set(gitLines('diff', '--name-only', from));
}

/** The first `most` in an order that the commit decides. */
function leading(files, commit, most) {
  const rank = (file) => createHash('sha256').update(`${commit} ${file}`).digest('hex');
  return files
    .map((file) => ({ file, rank: rank(file) }))
    .sort((left, right) => (left.rank < right.rank ? -1 : 1))
    .slice(0, most)
    .map(({ file }) => file);
}

/** Where CMake wrote how each source is compiled. */
export function compileCommands() {
  const build = join(root, 'native', 'build');
  return existsSync(join(build, 'compile_commands.json')) ? build : undefined;
}
