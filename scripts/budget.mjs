// Counts the engine's instructions per event on small captures with callgrind, and compares them
// with bench/budget.json. Fails if a count rose by more than 3 %. CI sets SFKIT_STRICT=1: it
// installs valgrind if it is missing, or the check fails.
//
// Usage: node scripts/budget.mjs [--update]
//   --update   writes the counts to the budget: with a change that costs more for a good reason,
//              and with one that costs less
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { repeatCapture } from '../bench/repeat.mjs';
import { compareWithBudget, maxRise } from './lib/budget.mjs';
import { toolFor } from './lib/lint-tools.mjs';
import { fail, root, say } from './lib/run.mjs';

const { values: options } = parseArgs({ options: { update: { type: 'boolean', default: false } } });

/** A part of the engine (native/tools/engine_benchmark.cpp) and a capture of fixtures/. */
const workloads = [
  ['read', 'webserver'],
  ['state', 'incident'],
  ['info', 'webserver'],
  ['count', 'webserver'],
  ['avro', 'webserver'],
  ['columns', 'live'],
];
/** Lengths of the repeated captures; the difference of two leaves out what is done only once. */
const megabytes = [0.4, 1.6];

const budgetFile = join(root, 'bench', 'budget.json');
const program = join(root, 'native', 'build', 'engine_benchmark');

const valgrind = toolFor('callgrind');
if (valgrind !== undefined) {
  if (!existsSync(program))
    fail('counting instructions needs the build: run node scripts/setup.mjs --tests first');
  check();
}

function check() {
  const build = `${output(program, ['build']).stdout.trim()}, ${processor()}`;
  if (options.update) {
    const budget = { build, instructionsPerEvent: measure() };
    writeFileSync(budgetFile, `${JSON.stringify(budget, null, 2)}\n`);
    return say('wrote bench/budget.json');
  }
  const budget = JSON.parse(readFileSync(budgetFile, 'utf8'));
  const { reason } = compareWithBudget(budget, { build, instructionsPerEvent: {} });
  if (reason !== undefined) return say(`instructions per event are not checked: ${reason}`);
  const measured = { build, instructionsPerEvent: measure() };
  const { lines, failures } = compareWithBudget(budget, measured);
  for (const line of lines) say(line);
  if (failures.length > 0)
    fail(
      `instructions per event rose by more than ${maxRise} %, or the workloads changed; if that is intended, run node scripts/budget.mjs --update:\n  ${failures.join('\n  ')}`,
    );
}

/** What the C library and the compressor choose their functions by. */
function processor() {
  const flags =
    /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' ') ?? [];
  return [process.arch, ...['avx2', 'bmi2', 'erms'].filter((flag) => flags.includes(flag))].join(
    ' ',
  );
}

/** Instructions per event by workload. */
function measure() {
  const directory = mkdtempSync(join(tmpdir(), 'sfkit-budget-'));
  process.on('exit', () => rmSync(directory, { recursive: true }));
  const capture = join(directory, 'capture.scap');
  const entries = workloads.map(([mode, name]) => {
    const [short, long] = megabytes.map((length) => {
      repeatCapture(join(root, 'fixtures', `${name}.scap`), capture, length);
      return count(mode, capture);
    });
    const instructions = long.instructions - short.instructions;
    return [`${mode} ${name}`, rounded(instructions / (long.events - short.events))];
  });
  return Object.fromEntries(entries);
}

function count(mode, capture) {
  const callgrind = ['--tool=callgrind', '--callgrind-out-file=/dev/null'];
  const { stdout, stderr } = output(valgrind, [...callgrind, program, mode, capture]);
  const collected = /Collected : (\d+)/.exec(stderr);
  if (collected === null) fail(`valgrind reports no instructions: ${stderr}`);
  return { instructions: Number(collected[1]), events: JSON.parse(stdout).events };
}

function output(command, args) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (error) fail(`cannot run ${command}: ${error.message}`);
  if (status !== 0) fail(`\`${[command, ...args].join(' ')}\` failed: ${stderr}`);
  return { stdout, stderr };
}

function rounded(number) {
  return Math.round(number * 10) / 10;
}
