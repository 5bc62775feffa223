// npm run bench: speed and memory of the engine and the commands, beside Debian's sysdig. Prints
// tables; with --json, the figures; with --save, it also writes them to docs/benchmarks/.
//
//   --megabytes N   length of each workload (600)
//   --rounds N      how often each way runs (5)
//   --only NAMES    only these workloads, separated by commas
//   --input FILE    one repeated capture instead of the workloads
//   --longest N     greatest length in MB for the figures by length (1000; 0: none)
//   --alive N       greatest number of live objects for those figures (1000000; 0: none)
//
// Every round runs each way once, in turn, so that a busy machine slows all of them alike. The
// figures are medians. The workloads need ../shared/corpus; without it they repeat fixtures/.

import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildTools } from '../scripts/lib/native.mjs';
import { root } from '../scripts/lib/run.mjs';
import { fileName, machine, median, tables } from './report.mjs';
import { load, ruleFiles, workloadOf, workloads } from './workloads.mjs';

const { values: options } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '600' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    input: { type: 'string' },
    longest: { type: 'string', default: '1000' },
    alive: { type: 'string', default: '1000000' },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);

const work = join(root, 'bench/work');
const capture = join(work, 'capture.scap');
const tools = buildTools('engine_benchmark', 'make_load');
const makeLoad = join(tools, 'make_load');
const sysdigFollows = 'sysdig -r FILE -q (follows state, prints nothing)';

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

/** Whether sysdig is installed and can read the capture: some are newer than Debian's version. */
function canSysdigRead() {
  return spawnSync('sysdig', ['-r', capture, '-q', '-n', '1']).status === 0;
}

/** Runs a command of sfkit in a separate process, which reports its own peak memory. */
function sfkit(...args) {
  rmSync(join(work, 'out'), { recursive: true, force: true });
  const node = ['--import', join(root, 'bench/measure.mjs'), join(root, 'bin/run.js'), ...args];
  // Its output goes to a file, as for sysdig.
  const result = run('sh', ['-c', 'exec "$@" > output.txt', 'sh', process.execPath, ...node]);
  const { peakMegabytes, cpuSeconds } = JSON.parse(result.stderr.trim().split('\n').at(-1));
  return { seconds: result.seconds, cpuSeconds, peakMegabytes };
}

function engine(mode) {
  const { stdout } = run(join(tools, 'engine_benchmark'), [mode, capture]);
  const { seconds, peakMegabytes } = JSON.parse(stdout);
  return { seconds, peakMegabytes };
}

function followWithSysdig() {
  return run('sysdig', ['-r', capture, '-q']);
}

/** What is measured on a workload, by name. Only `flows` prints, because printing takes sysdig long. */
function waysOf(workload) {
  const rules = ruleFiles();
  const check = ['check', capture, ...rules.flatMap((file) => ['--rules', file])];
  const convert = ['convert', capture, '-o', 'out/'];
  const ways = [
    ['engine: read blocks and events', () => engine('read')],
    ['engine: follow state', () => engine('state')],
    ['engine: make records', () => engine('records')],
    ['engine: convert to Avro', () => engine('avro')],
    ['sfkit convert -f avro', () => sfkit(...convert, '-f', 'avro')],
    ['sfkit convert (Parquet)', () => sfkit(...convert)],
    [
      "sfkit convert -f avro --filter 'proc.name = nothing'",
      () => sfkit(...convert, '-f', 'avro', '--filter', 'proc.name = nothing'),
    ],
    [
      `sfkit check (${rules.length === 3 ? '93 rules' : 'rules/incident.yaml'})`,
      () => sfkit(...check, '--enable', '*', '--exit-zero'),
    ],
    ['sfkit info', () => sfkit('info', capture)],
  ];
  const hasSysdig = canSysdigRead();
  if (hasSysdig) ways.push([sysdigFollows, followWithSysdig]);
  if (workload.name !== 'flows') return ways;
  ways.push(['sfkit events (prints events)', () => sfkit('events', capture)]);
  if (hasSysdig) {
    const print = ['-c', 'exec sysdig -r "$1" > output.txt', 'sh', capture];
    ways.push(['sysdig -r FILE (prints events)', () => run('sh', print)]);
  }
  return ways;
}

/** Runs the ways in turn; returns the medians of each. */
function measure(ways) {
  const samples = new Map(ways.map(([way]) => [way, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [way, runOnce] of ways) samples.get(way).push(runOnce());
  }
  return [...samples].map(([way, taken]) => {
    const of = (key) => taken.map((sample) => sample[key]).filter((value) => value !== undefined);
    const peaks = of('peakMegabytes');
    return {
      way,
      seconds: median(of('seconds')),
      cpuSeconds: median(of('cpuSeconds')) ?? null,
      peakMegabytes: peaks.length > 0 ? Math.max(...peaks) : null,
    };
  });
}

async function measureWorkload(workload) {
  const events = await workload.make(capture, Number(options.megabytes));
  const megabytes = Math.round(statSync(capture).size / 1e6);
  const measured = measure(waysOf(workload));
  const sysdig = measured.find(({ way }) => way === sysdigFollows);
  const results = measured.map((result) => ({
    ...result,
    eventsPerSecond: Math.round(events / result.seconds),
    timesSysdig: sysdig === undefined ? null : sysdig.seconds / result.seconds,
  }));
  const { name, what, capture: repeated } = workload;
  return { name, what, capture: repeated, events, megabytes, results };
}

/** Costs of the flows at each length from 10 MB: linear if the cost of an event stays. */
async function measureLengths(flows) {
  const rows = [];
  for (let megabytes = 10; megabytes <= Number(options.longest); megabytes *= 10) {
    const events = await flows.make(capture, megabytes);
    const ways = [
      ['engine: convert to Avro', () => engine('avro')],
      ['sfkit convert -f avro', () => sfkit('convert', capture, '-f', 'avro', '-o', 'out/')],
      ['sfkit convert (Parquet)', () => sfkit('convert', capture, '-o', 'out/')],
    ];
    if (canSysdigRead()) ways.push([sysdigFollows, followWithSysdig]);
    const measured = measure(ways);
    for (const result of measured)
      rows.push({ ...result, megabytes, events, nanosecondsPerEvent: perEvent(result, events) });
  }
  return rows;
}

/**
 * Costs of an event by the number of live objects, without those of reading the lists: flat if that
 * number does not matter.
 */
function measureAlive() {
  const events = 1_000_000;
  const ways = [
    ['engine: follow state', () => engine('state')],
    ['engine: make records', () => engine('records')],
  ];
  const rows = [];
  for (const kind of ['threads', 'descriptors', 'flows']) {
    for (let alive = 1000; alive <= Number(options.alive); alive *= 10) {
      load(makeLoad, kind, alive, 0, capture);
      const lists = measure(ways);
      load(makeLoad, kind, alive, alive, capture);
      const touched = measure(ways);
      load(makeLoad, kind, alive, alive + events, capture);
      for (const [at, result] of measure(ways).entries()) {
        const seconds = result.seconds - touched[at].seconds;
        const listSeconds = lists[at].seconds;
        const nanosecondsPerEvent = perEvent({ seconds }, events);
        rows.push({ ...result, kind, alive, seconds, listSeconds, nanosecondsPerEvent });
      }
    }
  }
  return rows;
}

const perEvent = ({ seconds }, events) => (seconds / events) * 1e9;

rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
const all = options.input ? [workloadOf(options.input)] : workloads(makeLoad);
const chosen = options.only?.split(',');
const report = {
  date: new Date().toISOString().slice(0, 10),
  machine: machine(),
  options: { megabytes: Number(options.megabytes), rounds },
  workloads: [],
  length: [],
  alive: [],
};
for (const workload of all) {
  if (chosen === undefined || chosen.includes(workload.name))
    report.workloads.push(await measureWorkload(workload));
}
report.length = await measureLengths(all[0]);
report.alive = measureAlive();
rmSync(work, { recursive: true });

const json = `${JSON.stringify(report, null, 2)}\n`;
if (options.save) {
  const directory = join(root, 'docs/benchmarks');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, fileName(report)), json);
}
process.stdout.write(options.json ? json : `${tables(report)}\n`);
const withoutSysdig = report.workloads.filter(({ results }) => results[0].timesSysdig === null);
if (withoutSysdig.length > 0) {
  const names = withoutSysdig.map(({ name }) => name).join(', ');
  console.error(`not compared with sysdig, which is missing or cannot read the capture: ${names}`);
}
