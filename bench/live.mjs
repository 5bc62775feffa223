// npm run bench:live: how much live capture slows the programs of this machine, and its throughput.
// Prints a table and, with --json, the figures. Options: --rounds N (5), --calls N (3000000),
// --storm MINUTES (0).
//
// Every round runs each variant once, in turn, so that a busy machine slows all of them alike.
// Prints medians and their ratios. Needs root and the requirements of sfkit doctor. --storm starts
// programs and creates files for this time, and prints the memory of sfkit live.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    calls: { type: 'string', default: '3000000' },
    storm: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
  },
});
const work = mkdtempSync(join(tmpdir(), 'sfkit-bench-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

function run(command, args, settings = {}) {
  const result = spawnSync(command, args, {
    cwd: work,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...settings,
  });
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${result.stderr}`);
  return result.stdout;
}

const has = (command) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

function build(name) {
  const program = join(work, name);
  run('c++', ['-O2', '-std=c++20', '-o', program, join(root, 'bench', `${name}.cpp`)]);
  return program;
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Starts sfkit live; resolves when it captures. */
async function capture(args) {
  const node = [join(root, 'bin/run.js'), 'live', '-o', join(work, 'out.sf'), '--json', ...args];
  const child = spawn(process.execPath, node, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  await new Promise((resolve, reject) => {
    child.stderr.on('data', (text) => {
      stderr += text;
      if (stderr.includes('sfkit: capturing')) resolve();
    });
    child.on('close', () => reject(new Error(stderr)));
  });
  return {
    pid: child.pid,
    async end() {
      const closed = new Promise((resolve) => child.on('close', resolve));
      child.kill('SIGINT');
      await closed;
      rmSync(join(work, 'out.sf'), { force: true });
      return JSON.parse(stdout);
    },
  };
}

const loop = build('call_loop');
const seconds = (action) => {
  const started = process.hrtime.bigint();
  action();
  return Number(process.hrtime.bigint() - started) / 1e9;
};
const call = (kind) => Number(run(loop, [kind, options.calls]));

/** Runs two loops in parallel, one per processor; returns the calls per second of both together. */
function bothProcessors() {
  const each = Number(options.calls);
  const command = `${loop} read ${each} & ${loop} read ${each}; wait`;
  return (2 * each) / seconds(() => run('sh', ['-c', command]));
}

let redis;
if (has('redis-server') && has('redis-benchmark')) {
  redis = spawn(
    'redis-server',
    ['--port', '0', '--unixsocket', join(work, 'redis.sock'), '--save', ''],
    {
      stdio: 'ignore',
    },
  );
  while (!existsSync(join(work, 'redis.sock')))
    await new Promise((resolve) => setTimeout(resolve, 50));
}

const workloads = {
  'getppid, ns per call': () => call('getppid'),
  'read of 1 byte, ns per call': () => call('read'),
  'compile of a C++ file, s': () =>
    seconds(() =>
      run('c++', ['-std=c++20', '-c', '-o', join(work, 'c.o'), join(root, 'bench/storm.cpp')]),
    ),
  ...(redis && {
    'redis-benchmark (SET), s': () =>
      seconds(() =>
        run('redis-benchmark', ['-s', join(work, 'redis.sock'), '-q', '-n', '100000', '-t', 'set']),
      ),
  }),
  'reads on all processors, calls/s': bothProcessors,
};

const ways = {
  'no capture': undefined,
  'sfkit live': [],
  'sfkit live --all-syscalls': ['--all-syscalls'],
};
const figures = {};
const lost = {};
const events = {};
for (let round = 0; round < Number(options.rounds); round++) {
  for (const [way, args] of Object.entries(ways)) {
    const live = args && (await capture(args));
    for (const [name, workload] of Object.entries(workloads)) {
      figures[name] ??= {};
      figures[name][way] ??= [];
      figures[name][way].push(workload());
    }
    if (live) {
      const summary = await live.end();
      lost[way] =
        (lost[way] ?? 0) +
        summary.gaps.filter((gap) => gap.isLoss).reduce((sum, gap) => sum + Number(gap.count), 0);
      events[way] = (events[way] ?? 0) + Number(summary.events);
    }
  }
}
redis?.kill();

const result = Object.entries(figures).map(([name, byWay]) => {
  const base = median(byWay['no capture']);
  return {
    name,
    ways: Object.fromEntries(
      Object.entries(byWay).map(([way, all]) => [
        way,
        { median: median(all), ratio: median(all) / base },
      ]),
    ),
  };
});
if (options.json) console.log(JSON.stringify({ result, lost, events }, null, 2));
else {
  for (const { name, ways: byWay } of result) {
    console.log(name);
    for (const [way, { median: value, ratio }] of Object.entries(byWay)) {
      const shown = value >= 1000 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
      console.log(`  ${way.padEnd(28)} ${shown.padStart(12)}   ${ratio.toFixed(2)}`);
    }
  }
  for (const [way, count] of Object.entries(lost))
    console.log(`${way}: ${events[way].toLocaleString('en')} events, ${count} lost`);
}

const minutes = Number(options.storm);
if (minutes > 0) {
  const storm = build('storm');
  mkdirSync(join(work, 'files'));
  const live = await capture([]);
  const memory = () =>
    Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${live.pid}/status`, 'utf8'))[1]) / 1024;
  const child = spawn(storm, [join(work, 'files'), String(minutes * 60)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let did = '';
  child.stdout.on('data', (text) => {
    did += text;
  });
  const started = Date.now();
  const timer = setInterval(
    () => console.log(`${Math.round((Date.now() - started) / 1000)} s: ${memory().toFixed(0)} MB`),
    30_000,
  );
  await new Promise((resolve) => child.on('close', resolve));
  clearInterval(timer);
  const summary = await live.end();
  console.log(did.trim());
  console.log(
    `${summary.events} events, lost: ${JSON.stringify(summary.gaps.filter((gap) => gap.isLoss))}`,
  );
}
