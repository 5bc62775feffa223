// Builds the engine with clang's address and undefined-behavior sanitizers, runs the C++ tests in
// that build, replays all seeds through the fuzzers, and runs each fuzzer for a while. Failing
// inputs are kept in native/build-tools/findings.
//
// Usage: node scripts/fuzz.mjs [--seconds N] [--only NAME] [--corpus DIRECTORY]
//   --seconds N   how long to fuzz with each (default 20)
//   --only NAME   one fuzzer: reader, convert, hostile, filter, sysflow_file or messages; skips the
//                 C++ tests
//   --corpus DIR  keeps the fuzzers' corpora in DIR/NAME, and starts from their contents
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCppTests } from './lib/cpp-tests.mjs';
import { fail, isStrict, root, run, say } from './lib/run.mjs';
import { ensureFuzzingTools } from './lib/system.mjs';

const fuzzers = [
  { name: 'reader', seeds: ['fixtures/seeds/captures', 'fixtures', '../shared/corpus/edge'] },
  { name: 'convert', seeds: ['fixtures/seeds/captures', 'fixtures', '../shared/corpus/edge'] },
  { name: 'hostile', seeds: ['fixtures/seeds/hostile'] },
  {
    name: 'filter',
    seeds: [
      'fixtures/seeds/filters',
      'fixtures/seeds/captures',
      'fixtures',
      '../shared/corpus/edge',
    ],
  },
  { name: 'sysflow_file', seeds: ['fixtures/seeds/sysflow'] },
  { name: 'messages', seeds: ['fixtures/seeds/messages'] },
];

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    only: { type: 'string' },
    corpus: { type: 'string' },
  },
});
const chosen = fuzzers.filter(({ name }) => options.only === undefined || options.only === name);
if (chosen.length === 0)
  fail(`unknown fuzzer '${options.only}': expected ${fuzzers.map(({ name }) => name).join(', ')}`);

const { cxx, cc } = ensureFuzzingTools();
const build = join(root, 'native', 'build-tools', 'fuzz');
const findings = join(root, 'native', 'build-tools', 'findings');
mkdirSync(findings, { recursive: true });
say('building the fuzzers');
const compilers = [`-DCMAKE_CXX_COMPILER=${cxx}`, `-DCMAKE_C_COMPILER=${cc}`];
const parts = [
  '-DSFKIT_FUZZ=ON',
  '-DSFKIT_TESTS=ON',
  '-DSFKIT_ADDON=OFF',
  '-DSFKIT_UNITY=ON',
  '-DCMAKE_BUILD_TYPE=RelWithDebInfo',
];
if (isStrict) parts.push('-DSFKIT_STRICT=ON');
run('cmake', ['-S', join(root, 'native'), '-B', build, ...compilers, ...parts], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
run('cmake', ['--build', build, '--parallel', '2'], { stdio: ['ignore', 'ignore', 'inherit'] });

/** How much of a fuzzer's output is kept, in characters. */
const maxOutput = 100_000;
const scratch = mkdtempSync(join(tmpdir(), 'sfkit-fuzz-'));
let failures = 0;
try {
  if (options.only === undefined) await testWithSanitizers();
  await inParallel(chosen, fuzz);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
if (failures > 0) fail(`${failures} of ${chosen.length + 1} runs failed, see above`);

async function testWithSanitizers() {
  say('C++ tests with sanitizers');
  const { tests, isOk } = await runCppTests(join(build, 'sfkit_tests'), scratch);
  if (!isOk || tests.length === 0) failures += 1;
}

/** Works on as many as there are processors, in order. */
async function inParallel(items, work) {
  const left = [...items];
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

async function fuzz({ name, seeds }) {
  const program = join(build, `${name}_fuzzer`);
  const folders = seeds.map((folder) => join(root, folder)).filter(existsSync);
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { withFileTypes: true }).filter(
      (entry) => entry.isFile() && /\.(scap|sf|txt|bin)$/.test(entry.name),
    ),
  );
  const paths = files.map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const kept = options.corpus === undefined ? join(scratch, name) : join(options.corpus, name);
  mkdirSync(kept, { recursive: true });
  const common = [`-artifact_prefix=${findings}/${name}-`, '-timeout=20', '-rss_limit_mb=3000'];

  say(`${name}: replaying ${paths.length} seeds`);
  if (!(await quiet(name, program, [...common, ...paths]))) return;
  say(`${name}: fuzzing for ${options.seconds} s`);
  const length = [
    '-max_len=24000',
    `-max_total_time=${options.seconds}`,
    '-print_final_stats=1',
    '-verbosity=0',
  ];
  await quiet(name, program, [...common, ...length, kept, ...folders]);
}

/** Runs a fuzzer; shows the end of its output only on a failure. */
async function quiet(name, program, args) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-maxOutput);
    });
  }
  const status = await new Promise((resolve) => {
    child.on('error', resolve);
    child.on('close', resolve);
  });
  if (status === 0) {
    const runs = /stat::number_of_executed_units: *(\d+)/.exec(output)?.[1];
    if (runs !== undefined) say(`${name}: ${runs} inputs, nothing found`);
    return true;
  }
  process.stderr.write(`${name}:\n${output.split('\n').slice(-60).join('\n')}\n`);
  failures += 1;
  return false;
}
