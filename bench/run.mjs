// npm run bench: speed and memory of the engine and the commands on a long capture. Prints a table
// and, with --json, the figures. Options: --megabytes N (600), --rounds N (5), --input FILE.
//
// The long capture repeats ../shared/corpus/sf-collector/mpm-event.full.scap, or
// fixtures/webserver.scap without the corpus. Every round runs each variant once, in turn, so that
// a busy machine slows all of them alike. Prints medians.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildTools } from '../scripts/lib/native.mjs';
import { repeatCapture } from './repeat.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const work = join(root, 'bench/work');
const { values: options } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '600' },
    rounds: { type: 'string', default: '5' },
    input: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const toolBuild = buildTools('engine_benchmark');

function run(command, args) {
  const started = process.hrtime.bigint();
  const result = spawnSync(command, args, { cwd: work, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${result.stderr}`);
  return {
    seconds: Number(process.hrtime.bigint() - started) / 1e9,
    stdout: result.stdout,
    stderr: result.stderr,
  };
}

const has = (command) => spawnSync(command, ['--version']).status === 0;

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Runs a command of sfkit in a separate process, which reports its own peak memory. */
function sfkit(...args) {
  rmSync(join(work, 'out'), { recursive: true, force: true });
  const node = ['--import', join(root, 'bench/measure.mjs'), join(root, 'bin/run.js'), ...args];
  // Its output goes to a file, as for sysdig.
  const result = run('sh', ['-c', 'exec "$@" > events.txt', 'sh', process.execPath, ...node]);
  const { peakMegabytes, cpuSeconds } = JSON.parse(result.stderr.trim().split('\n').at(-1));
  return { seconds: result.seconds, cpuSeconds, peakMegabytes };
}

function engine(mode, file) {
  const { seconds, peakMegabytes } = JSON.parse(
    run(join(toolBuild, 'engine_benchmark'), [mode, file]).stdout,
  );
  return { seconds, peakMegabytes };
}

mkdirSync(work, { recursive: true });
const corpus = join(root, '../shared/corpus/sf-collector/mpm-event.full.scap');
const input =
  options.input ?? (existsSync(corpus) ? corpus : join(root, 'fixtures/webserver.scap'));
const long = join(work, 'long.scap');
const short = join(work, 'short.scap');
const events = repeatCapture(input, long, Number(options.megabytes));
const shortEvents = repeatCapture(input, short, 15);
const megabytes = statSync(long).size / 1e6;

const ways = new Map([
  ['engine: read blocks and events', () => engine('read', long)],
  ['engine: make records', () => engine('records', long)],
  ['engine: convert to Avro', () => engine('avro', long)],
  ['sfkit convert -f avro', () => sfkit('convert', long, '-f', 'avro', '-o', 'out/')],
  ['sfkit convert (Parquet)', () => sfkit('convert', long, '-o', 'out/')],
  ['sfkit info', () => sfkit('info', long)],
  ['sfkit events (prints events)', () => sfkit('events', long)],
]);
const hasSysdig = has('sysdig');
if (hasSysdig) {
  ways.set('sysdig -r FILE -q (follows state, prints nothing)', () =>
    run('sysdig', ['-r', long, '-q']),
  );
  ways.set('sysdig -r FILE (prints events)', () =>
    run('sh', ['-c', `sysdig -r '${long}' > events.txt`]),
  );
}

const samples = new Map([...ways.keys()].map((name) => [name, []]));
for (let round = 0; round < Number(options.rounds); round++) {
  for (const [name, way] of ways) samples.get(name).push(way());
}

const results = [...samples].map(([name, taken]) => {
  const seconds = median(taken.map((sample) => sample.seconds));
  const peaks = taken.map((sample) => sample.peakMegabytes).filter((peak) => peak !== undefined);
  return {
    name,
    seconds,
    eventsPerSecond: events / seconds,
    megabytesPerSecond: megabytes / seconds,
    peakMegabytes: peaks.length > 0 ? Math.max(...peaks) : null,
  };
});

let instructionsPerEvent = null;
if (has('valgrind')) {
  instructionsPerEvent = {};
  for (const mode of ['read', 'records', 'avro']) {
    const { stderr } = run('valgrind', [
      '--tool=callgrind',
      '--callgrind-out-file=/dev/null',
      join(toolBuild, 'engine_benchmark'),
      mode,
      short,
    ]);
    instructionsPerEvent[mode] = Math.round(
      Number(/Collected : (\d+)/.exec(stderr)[1]) / shortEvents,
    );
  }
}

const report = {
  capture: {
    repeated: input.slice(input.lastIndexOf('/') + 1),
    events,
    megabytes: Math.round(megabytes),
  },
  machine: {
    processor: cpus()[0].model,
    cores: cpus().length,
    gigabytes: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  },
  rounds: Number(options.rounds),
  results,
  instructionsPerEvent,
};

if (options.json) {
  console.log(JSON.stringify(report, null, 2));
} else {
  console.log(
    `${report.capture.repeated} repeated: ${events.toLocaleString('en')} events, ${report.capture.megabytes} MB`,
  );
  console.log('| way | seconds | million events/s | MB/s | peak MB |\n|---|---:|---:|---:|---:|');
  for (const { name, seconds, eventsPerSecond, megabytesPerSecond, peakMegabytes } of results) {
    const peak = peakMegabytes === null ? '' : peakMegabytes.toFixed(0);
    console.log(
      `| ${name} | ${seconds.toFixed(2)} | ${(eventsPerSecond / 1e6).toFixed(2)} | ${megabytesPerSecond.toFixed(0)} | ${peak} |`,
    );
  }
  if (instructionsPerEvent) {
    console.log(
      `\nInstructions per event (callgrind): ${Object.entries(instructionsPerEvent)
        .map(([mode, count]) => `${mode} ${count}`)
        .join(', ')}`,
    );
  }
  const printing = results.find(
    ({ name }) => name.startsWith('sysdig') && name.includes('prints events'),
  );
  const listing = results.find(({ name }) => name.startsWith('sfkit events'));
  const following = results.find(({ name }) => name.includes('prints nothing'));
  const avro = results.find(({ name }) => name === 'sfkit convert -f avro');
  if (printing && following) {
    const times = (other) => (avro.eventsPerSecond / other.eventsPerSecond).toFixed(1);
    console.log(
      `\nsfkit convert -f avro: ${times(printing)} times the events/s of sysdig printing, ${times(following)} times those of sysdig -q`,
    );
    console.log(
      `sfkit events: ${(listing.eventsPerSecond / printing.eventsPerSecond).toFixed(1)} times the events/s of sysdig printing`,
    );
  }
  if (!hasSysdig)
    console.log('\nsysdig is not installed: no comparison (Debian has it as a package)');
}
rmSync(work, { recursive: true, force: true });
