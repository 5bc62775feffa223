// Checks the code without running it: Biome, the TypeScript compiler, clang-format and clang-tidy
// (.clang-tidy lists its checks). CI sets SFKIT_STRICT=1: it installs missing tools, or the check
// fails.
//
// Usage: node scripts/lint.mjs [--all]
//   --all   clang-tidy reads every source, not only those that changed since the main branch
import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  changedSources,
  compileCommands,
  cppFiles,
  sourcesToTidy,
  toolFor,
} from './lib/lint-tools.mjs';
import { fail, root, say } from './lib/run.mjs';

const { values: options } = parseArgs({ options: { all: { type: 'boolean', default: false } } });
/** A source takes about 3 s, and CI has two minutes for this. */
const maxChanged = 40;

/** The build may use gcc, and clang does not know all of its options. */
const forGcc = ['--extra-arg=-Wno-unknown-warning-option'];

const checks = { biome, types, format, tidy };
const failed = [];
for (const [name, check] of Object.entries(checks)) if (!(await check())) failed.push(name);
if (failed.length > 0) fail(`lint failed: ${failed.join(', ')}`);

function biome() {
  return passes(join(root, 'node_modules', '.bin', 'biome'), ['ci', '.']);
}

function types() {
  return passes(join(root, 'node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.test.json']);
}

function format() {
  const command = toolFor('format');
  return command === undefined || passes(command, ['--dry-run', '--Werror', ...cppFiles()]);
}

async function tidy() {
  const command = toolFor('tidy');
  if (command === undefined) return true;
  const build = compileCommands();
  if (build === undefined)
    fail('clang-tidy needs the build: run node scripts/setup.mjs --tests first');
  const queue = options.all ? sourcesToTidy() : changedSources(maxChanged);
  say(`clang-tidy reads ${queue.length} sources`);
  const worker = async () => {
    let isClean = true;
    for (let file = queue.shift(); file !== undefined; file = queue.shift())
      isClean = (await readBy(command, ['-p', build, '--quiet', ...forGcc, file])) && isClean;
    return isClean;
  };
  const results = await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return results.every(Boolean);
}

function passes(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) say(`cannot run ${command}: ${error.message}`);
  return status === 0;
}

/** Runs clang-tidy on a file; prints its complete output if it finds anything. */
function readBy(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    child.on('error', () => resolve(false));
    child.on('close', (status) => {
      if (status !== 0) process.stderr.write(text);
      resolve(status === 0);
    });
  });
}
