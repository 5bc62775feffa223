import { execFile, execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openColumns } from '../../src/engine/session.js';
import { csvLines } from '../../src/export/text.js';
import { root } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';

/** The cost of one run of the engine or a command. */
interface Cost {
  way: string;
  /** Seconds, user and system. */
  cpu: number;
  /** MB. */
  memory: number;
  /** Killed for using too much CPU or memory. */
  stopped: boolean;
}

interface Kind {
  name: string;
  what: string;
  size: number;
  /** Everything in the capture is short-lived: more input takes no more memory. */
  flat: boolean;
}

/**
 * Maximum cost ratio for four times the input: 4, plus noise of a shared machine. It would be 16 if
 * the cost grew with the square.
 */
const factor = 4;
const growth = 7;
/** Smaller growth of CPU (s) or memory (MB) is noise. */
const cpuFloor = 0.12;
const memoryFloor = 8;
const flatFloor = 4;
/** Maximum memory: this constant (MB) plus this multiple of the input. */
const memoryBase = 32;
const memoryPerByte = 40;
const secondsPerRun = 1;
/** A complete command, including Node.js, that writes the tables of a small capture. */
const commandSeconds = 10;
const commandMemory = 400;
/**
 * Size factor of each attempt: a cost that is too high by chance at one size is normal at another.
 */
const attempts = [1, 1, 2, 2, 4, 4];

/** Table formats may repeat a text in every row; their memory must not grow with that. */
const tables = [
  'fork_env',
  'rows_of_env',
  'rows_of_container',
  'rows_of_parent_env',
  'unique_paths',
  'execs',
];
const formats = ['csv', 'parquet', 'arrow'];

const program = ['.', 'Release']
  .map((folder) => join(root, 'native/build', folder, 'sfkit_hostile_trial'))
  .find(existsSync);
const kinds: Kind[] =
  program === undefined
    ? []
    : execFileSync(program, ['list'], { encoding: 'utf8' })
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
const run = promisify(execFile);
const directory = testDirectory();

async function lines(...args: string[]): Promise<unknown[]> {
  const { stdout } = await run(program as string, args);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

async function engine(
  kind: string,
  size: number,
  seconds: number,
): Promise<{ bytes: number; costs: Cost[] }> {
  const [input, ...costs] = await lines('engine', kind, String(size), String(seconds));
  return { bytes: (input as { bytes: number }).bytes, costs: costs as Cost[] };
}

/** Problems in the costs of an input and of a larger one; empty if there are none. */
function complaints(kind: { flat: boolean }, bytes: number, small: Cost, large: Cost): string[] {
  const costsText = (unit: string, values: [number, number]) =>
    `${values.map((value) => value.toFixed(2)).join(' -> ')} ${unit}`;
  if (large.stopped)
    return [`${small.way}: ${costsText('s', [small.cpu, large.cpu])}, then stopped`];
  const found: string[] = [];
  if (large.cpu - small.cpu > cpuFloor && large.cpu > growth * small.cpu) {
    found.push(`${small.way}: CPU ${costsText('s', [small.cpu, large.cpu])}`);
  }
  const grown = large.memory - small.memory;
  // The collector, and so --compat, keeps processes whose exit it does not see.
  const flat = kind.flat && small.way !== 'compat';
  if (
    (grown > memoryFloor && large.memory > growth * small.memory) ||
    (flat && grown > flatFloor)
  ) {
    found.push(
      `${small.way}: memory ${costsText('MB', [small.memory, large.memory])}${flat ? ', nothing stays' : ''}`,
    );
  }
  const maxMemory = memoryBase + (memoryPerByte * bytes) / 1e6;
  if (large.memory > maxMemory) {
    found.push(
      `${small.way}: ${large.memory} MB for ${(bytes / 1e6).toFixed(1)} MB of input, expected at most ${maxMemory.toFixed(0)}`,
    );
  }
  return found;
}

/** The minimum cost of each run over all attempts at a size, because the machine is shared. */
function minimumCosts(known: Cost[] | undefined, now: Cost[]): Cost[] {
  if (known === undefined) return now;
  return now.map((cost, at) => {
    const before = known[at];
    if (before === undefined || before.stopped) return cost;
    if (cost.stopped) return before;
    return {
      ...cost,
      cpu: Math.min(cost.cpu, before.cpu),
      memory: Math.min(cost.memory, before.memory),
    };
  });
}

/** Problems at every tried size; a memory problem at the first size is enough. */
async function judge(
  kind: Kind,
  measure: (size: number, seconds: number) => Promise<{ bytes: number; costs: Cost[] }>,
): Promise<string[]> {
  const known = new Map<number, Cost[]>();
  const leastAt = async (scale: number) => {
    const size = Math.ceil(scale * kind.size);
    const { bytes, costs } = await measure(size, Math.max(1, scale) * secondsPerRun);
    known.set(scale, minimumCosts(known.get(scale), costs));
    return { bytes, costs: known.get(scale) as Cost[] };
  };
  let found: string[] = [];
  for (const scale of attempts) {
    const small = await leastAt(scale / 2);
    const stopped = small.costs.find((cost) => cost.stopped);
    if (stopped !== undefined)
      return [`${stopped.way}: stopped at ${stopped.cpu} s, ${stopped.memory} MB`];
    const large = await leastAt((scale / 2) * factor);
    found = large.costs.flatMap((cost, at) =>
      complaints(kind, large.bytes, small.costs[at] as Cost, cost),
    );
    if (found.length === 0) return [];
    // Load on the machine cannot explain a difference this large.
    if (large.costs.some((cost) => cost.stopped) || found.some((text) => !text.includes(': CPU ')))
      return found;
  }
  return found;
}

describe.skipIf(program === undefined)(
  'hostile captures: the cost grows with the input, not faster (needs sfkit_hostile_trial)',
  () => {
    it.each(kinds.map((kind) => [kind.name, kind] as const))(
      '%s',
      async (_name, kind) => {
        expect(
          await judge(kind, (size, seconds) => engine(kind.name, size, seconds)),
          kind.what,
        ).toEqual([]);
      },
      180_000,
    );
  },
);

describe.skipIf(program === undefined)(
  'hostile captures: memory of a complete command (needs sfkit_hostile_trial)',
  () => {
    it.each(tables.flatMap((name) => formats.map((format) => [name, format] as const)))(
      '%s as %s',
      async (name, format) => {
        const size = kinds.find((kind) => kind.name === name)?.size ?? 0;
        const input = directory.path(`${name}.scap`);
        const output = directory.path(`output.${format}`);
        await run(program as string, ['write', name, String(2 * size), input]);
        const convert = [
          process.execPath,
          join(root, 'bin/run.js'),
          'convert',
          input,
          '-o',
          output,
        ];
        const [cost] = (await lines('command', String(commandSeconds), ...convert)) as Cost[];
        expect(cost?.stopped, `stopped at ${cost?.cpu} s`).toBe(false);
        expect(cost?.memory).toBeLessThan(commandMemory);
      },
      60_000,
    );

    // Live data grows with the input: 48 MB of arguments, which most rows contain twice.
    it.each(['csv', 'jsonl', 'parquet', 'arrow', 'duckdb', 'avro', 'a count'])(
      'long_arguments as %s',
      async (format) => {
        const input = directory.path('long_arguments.scap');
        await run(program as string, ['write', 'long_arguments', '1500', input]);
        const sfkit = [process.execPath, join(root, 'bin/run.js')];
        const command =
          format === 'a count'
            ? [...sfkit, 'query', input, 'select count(*) from sysflow']
            : [...sfkit, 'convert', input, '-f', format, '-o', directory.path('output/')];
        const maxMemory = commandMemory + (3 * statSync(input).size) / 1e6;
        // On a busy machine a fast thread can hold more batches, so the minimum of six runs counts.
        let memory = Number.POSITIVE_INFINITY;
        for (let attempt = 0; attempt < 6 && memory >= maxMemory; attempt++) {
          const [cost] = (await lines('command', String(2 * commandSeconds), ...command)) as Cost[];
          expect(cost?.stopped, `stopped at ${cost?.cpu} s`).toBe(false);
          memory = Math.min(memory, cost?.memory ?? memory);
        }
        expect(memory).toBeLessThan(maxMemory);
      },
      240_000,
    );

    it('frees the memory of batches while others arrive', async () => {
      const input = directory.path('execs.scap');
      await run(program as string, ['write', 'execs', '60000', input]);
      // Garbage collection varies, so the minimum of six runs counts.
      let smallestPeak = Number.POSITIVE_INFINITY;
      for (let attempt = 0; attempt < 3 && smallestPeak >= 250e6; attempt++) {
        const before = process.memoryUsage.rss();
        let peak = 0;
        let text = 0;
        for await (const batch of openColumns({ input, tables: ['process', 'process_event'] })) {
          // Nothing in this loop waits.
          for (const piece of csvLines(batch)) text += piece.length;
          peak = Math.max(peak, process.memoryUsage.rss() - before);
        }
        expect(text).toBeGreaterThan(300e6);
        smallestPeak = Math.min(smallestPeak, peak);
      }
      expect(smallestPeak).toBeLessThan(250e6);
    }, 120_000);
  },
);
