import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SysFlowDriver } from '../../src/driver/driver.js';
import { fixtures, root } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';
import { liveTitle, noLive } from '../helpers/live.js';
import { startLive } from '../helpers/live-run.js';
import { listen, type Message, type Server, seqpacketServer } from '../helpers/seqpacket.js';
import { readSf } from '../helpers/sf.js';
import { until } from '../helpers/until.js';

const capture = join(fixtures, 'webserver.scap');
const directory = testDirectory();

/** Bytes that the processor's reader accepts in one message. */
const maxMessage = 16_384;

const text = (value: unknown) => (typeof value === 'bigint' ? String(value) : value);
const key = (value: unknown) => JSON.stringify(value, (_name, part) => text(part));
const hex = (value: unknown) => Buffer.from(value as Uint8Array).toString('hex');

/** Checks a stream as the processor needs it; returns its events and flows. */
function activitiesOf({ messages, longest }: Server): Message[] {
  let known = new Set<string>();
  const activities: Message[] = [];
  messages.forEach(({ name, fields }, place) => {
    if (place === 0) expect(name).toBe('SFHeader');
    // After a header the consumer knows nothing.
    if (name === 'SFHeader') known = new Set();
    if (name === 'Container') known.add(key(fields.id));
    const container = (fields.containerId as { string: string } | null | undefined)?.string;
    if (container !== undefined) expect(known).toContain(key(container));
    if (name === 'Process') known.add(key(fields.oid));
    if (name === 'File') known.add(hex(fields.oid));
    if (fields.procOID === undefined) return;
    expect(known).toContain(key(fields.procOID));
    if (fields.fileOID !== undefined) expect(known).toContain(hex(fields.fileOID));
    activities.push({ name, fields });
  });
  expect(longest()).toBeLessThanOrEqual(maxMessage);
  return activities;
}

const headers = ({ messages }: Server) => messages.filter(({ name }) => name === 'SFHeader');

/** Runs the command line beside a consumer. */
async function run(...args: string[]): Promise<{ status: number | null; stderr: string }> {
  const child = spawn(process.execPath, [join(root, 'bin/run.js'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (part) => {
    stderr += part;
  });
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, stderr })));
}

/** Events and flows of files, in order. */
async function activitiesInFiles(files: readonly string[]): Promise<Message[]> {
  const all: Message[] = [];
  for (const file of files) {
    for (const { type, fields } of await readSf(file))
      if (fields.procOID !== undefined) all.push({ name: type, fields });
  }
  return all;
}

describe.skipIf(seqpacketServer === undefined)('a consumer like the processor', () => {
  it('gets the records of convert --socket: the header first, one datum a message', async () => {
    const socket = directory.path('s');
    const consumer = await listen(socket);
    const { status, stderr } = await run('convert', capture, '--socket', socket);
    await consumer.ended;
    expect([status, stderr]).toEqual([0, expect.stringContaining(`-> ${socket} (socket)`)]);
    const activities = activitiesOf(consumer);
    expect(headers(consumer)).toHaveLength(1);
    expect(headers(consumer)[0]?.fields.filename).toBe('');
    const file = directory.path('x.sf');
    await run('convert', capture, '-o', file);
    expect(activities.map(key)).toEqual((await activitiesInFiles([file])).map(key));
    expect(activities.length).toBeGreaterThan(100);
  });

  it('gets a header and the entities again after each rotation, with the name of the file', async () => {
    const socket = directory.path('s');
    const consumer = await listen(socket);
    const output = directory.path('flow.sf');
    const { status } = await run(
      ...['convert', capture, '--socket', socket, '-o', output, '--rotate', '10'],
    );
    await consumer.ended;
    expect(status).toBe(0);
    const activities = activitiesOf(consumer);
    const names = headers(consumer).map(({ fields }) => fields.filename as string);
    expect(names.length).toBeGreaterThan(3);
    for (const name of names) expect(name).toMatch(/flow\.sf\.\d{10}$/);
    expect(activities.map(key)).toEqual((await activitiesInFiles(names)).map(key));
  });

  it('gets the records of the driver, and headers again after each rotation', async () => {
    const socketPath = directory.path('s');
    const consumer = await listen(socketPath);
    const driver = new SysFlowDriver(
      { scapInputPath: capture, socketPath, filePath: directory.path('d/'), rotateInterval: 10 },
      {},
    );
    const { files, socket } = await driver.run();
    await consumer.ended;
    expect(socket).toMatchObject({ sent: consumer.messages.length, dropped: 0 });
    const activities = activitiesOf(consumer);
    expect(headers(consumer).map(({ fields }) => fields.filename)).toEqual(files);
    expect(activities.map(key)).toEqual((await activitiesInFiles(files)).map(key));
  });

  it('gets the records of a .sf file', async () => {
    const file = directory.path('x.sf');
    await run('convert', capture, '-o', file);
    const socket = directory.path('s');
    const consumer = await listen(socket);
    const { status } = await run('convert', file, '--socket', socket);
    await consumer.ended;
    expect(status).toBe(0);
    expect(activitiesOf(consumer).map(key)).toEqual((await activitiesInFiles([file])).map(key));
  });

  it('that does not come is reported, with exit code 3', async () => {
    const socket = directory.path('none');
    const { status, stderr } = await run('convert', capture, '--socket', socket);
    expect([status, stderr]).toEqual([
      3,
      expect.stringMatching(/skipped: \d+ records that the reader of the socket did not take/),
    ]);
    expect(stderr).toContain(`sfkit: cannot connect: ${socket}`);
  });

  it.skipIf(noLive !== undefined)(
    liveTitle('gets the records of live --socket, and headers again after each rotation'),
    async () => {
      const socket = directory.path('s');
      const consumer = await listen(socket);
      const output = directory.path('now.sf');
      const live = startLive(['live', '--socket', socket, '-o', output, '--rotate', '1']);
      await live.capturing;
      await until(() => headers(consumer).length > 2);
      const { exit, stderr } = await live.end('SIGINT');
      await consumer.ended;
      expect([exit, stderr]).toEqual([0, expect.stringContaining('lost: nothing')]);
      const names = headers(consumer).map(({ fields }) => fields.filename as string);
      expect(activitiesOf(consumer).map(key)).toEqual((await activitiesInFiles(names)).map(key));
    },
  );
});
