import { execFile } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SysflowEncoder } from '../../src/records/encode.js';
import { root } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';
import { containerOf, processOf } from '../helpers/pods.js';

// .sf files whose pods are expensive: commands that read them end in time, in bounded memory.

const trial = ['.', 'Release']
  .map((folder) => join(root, 'native/build', folder, 'sfkit_hostile_trial'))
  .find(existsSync);
const directory = testDirectory();

/** Maximum CPU of a command, including Node.js (s). Quadratic cost would take minutes. */
const maxSeconds = 20;
/** Maximum memory: a constant, and a multiple of the records (MB). */
const baseMemory = 600;
const memoryPerByte = 12;

interface Cost {
  cpu: number;
  memory: number;
  stopped: boolean;
}

async function costOf(...args: string[]): Promise<Cost> {
  // Exit code 3: the file is damaged; the reader drops what exceeds a limit.
  const script = '"$@"; code=$?; [ $code -eq 0 ] || [ $code -eq 3 ]';
  const command = [
    '/bin/sh',
    '-c',
    script,
    'sh',
    process.execPath,
    join(root, 'bin/run.js'),
    ...args,
  ];
  const { stdout } = await promisify(execFile)(
    trial as string,
    ['command', String(maxSeconds), ...command],
    { maxBuffer: 1 << 24 },
  );
  return JSON.parse(stdout);
}

/** Records of a .sf file, and their size before compression. */
class Writer {
  readonly #encoder = new SysflowEncoder('deflate');
  readonly #parts: Buffer[] = [];

  constructor() {
    this.add('Header', { version: 5n, exporter: 'e', ip: '', filename: '' });
  }

  add(...record: Parameters<SysflowEncoder['add']>): void {
    const bytes = this.#encoder.add(...record);
    if (bytes !== undefined) this.#parts.push(bytes);
  }

  write(path: string): void {
    this.#parts.push(this.#encoder.take());
    writeFileSync(path, Buffer.concat(this.#parts));
  }

  pod(id: string, ts: bigint, lists: object): void {
    this.add('Pod', {
      ts,
      id,
      name: id,
      nodeName: 'n',
      hostIP: [],
      internalIP: [],
      namespace: 'default',
      restartCount: 0n,
      labels: {},
      selectors: {},
      services: [],
      ...lists,
    });
  }

  /** A process in a container of the pod. */
  process(pod: string, hpid: bigint): void {
    const containerId = `c${pod}`;
    this.add('Container', containerOf(pod, containerId));
    this.add('Process', processOf(containerId, { createTS: 1n, hpid }));
  }

  event(hpid: bigint, ts: bigint): void {
    this.add('NetworkEvent', {
      procOID: { createTS: 1n, hpid },
      ts,
      tid: hpid,
      opFlags: 64,
      sip: 1,
      sport: 1,
      dip: 2,
      dport: 2,
      proto: 6,
      ret: 0,
    });
  }
}

const labelsOf = (count: number, prefix = 'label') =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, 'value']));
const servicesOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    name: `service${index}`,
    id: `${index}`,
    namespace: 'default',
    portList: [{ port: 80, targetPort: 8080, nodePort: 0, proto: 'TCP' }],
    clusterIP: [BigInt(index)],
  }));

/** A file with pods. */
interface Hostile {
  make(writer: Writer): void;
  /** Bytes of its texts in tables. */
  bytes: number;
}

const large = {
  labels: labelsOf(100_000),
  selectors: labelsOf(1000),
  services: servicesOf(10_000),
};

function ofLargePod(rows: number): Hostile {
  return {
    bytes: 1e6,
    make(writer) {
      writer.pod('p', 1n, large);
      writer.process('p', 7n);
      for (let row = 0; row < rows; row++) writer.event(7n, BigInt(row));
    },
  };
}

const kinds = {
  'one pod with 100,000 labels and 10,000 services in all rows': ofLargePod(20_000),
  'a pod whose labels change before each event': {
    bytes: 5000 * 1000,
    make(writer: Writer) {
      writer.pod('p', 1n, {});
      writer.process('p', 7n);
      for (let row = 0; row < 5000; row++) {
        writer.pod('p', BigInt(row), { labels: labelsOf(50, `l${row}.`) });
        writer.event(7n, BigInt(row));
      }
    },
  },
  'many pods, each with an event': {
    bytes: 5000 * 1500,
    make(writer: Writer) {
      for (let row = 0; row < 5000; row++) {
        writer.pod(`pod${row}`, BigInt(row), { labels: labelsOf(20), services: servicesOf(5) });
        writer.process(`pod${row}`, BigInt(row));
        writer.event(BigInt(row), BigInt(row));
      }
    },
  },
} satisfies Record<string, Hostile>;

describe.skipIf(trial === undefined)(
  'hostile pods of .sf files (needs sfkit_hostile_trial)',
  () => {
    const check = async ({ bytes }: Hostile, input: string, ...args: string[]) => {
      const cost = await costOf(...args);
      expect(cost.stopped, `stopped at ${cost.cpu} s`).toBe(false);
      const size = Math.max(bytes, statSync(input).size);
      expect(cost.memory).toBeLessThan(baseMemory + (memoryPerByte * size) / 1e6);
    };

    const written = (kind: Hostile): string => {
      const input = directory.path('hostile.sf');
      const writer = new Writer();
      kind.make(writer);
      writer.write(input);
      return input;
    };

    describe.each(Object.entries<Hostile>(kinds))('%s', (_, kind) => {
      it.each(['parquet', 'duckdb', 'sf'])(
        'converted to %s',
        async (format) => {
          const input = written(kind);
          await check(kind, input, 'convert', input, '-o', directory.path(`out.${format}`));
        },
        180_000,
      );

      it('counted', async () => {
        const input = written(kind);
        const sql = 'SELECT count(*) FROM network_event WHERE pod_labels IS NOT NULL';
        await check(kind, input, 'query', '--no-cache', input, sql);
      }, 180_000);
    });

    it('the reader drops the end of a large pod, and reports it', async () => {
      const input = written(ofLargePod(1));
      const run = promisify(execFile)(process.execPath, [
        join(root, 'bin/run.js'),
        ...['convert', input, '-o', directory.path('out.parquet')],
      ]);
      await expect(run).rejects.toMatchObject({
        code: 3,
        stderr: expect.stringMatching(
          /damaged: .*: \d+ texts and items were dropped: .*a pod 65536 bytes/,
        ),
      });
    }, 60_000);

    // Each row of these formats repeats the texts.
    it.each(['csv', 'jsonl'])(
      'one large pod in each row as %s',
      async (format) => {
        const rows = 500;
        const kind = ofLargePod(rows);
        const input = written(kind);
        const output = directory.path(`out.${format}`);
        await check(kind, input, 'convert', input, '-o', output);
        expect(statSync(output).size).toBeGreaterThan(rows * 1e4);
      },
      180_000,
    );
  },
);
