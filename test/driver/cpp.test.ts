import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { openCapture } from '../../src/capture/capture.js';
import type { SysFlowConfig } from '../../src/driver/config.js';
import { SysFlowDriver } from '../../src/driver/driver.js';
import { readEnvironment } from '../../src/driver/environment.js';
import { variableTable } from '../../src/engine/variables.gen.js';
import { corpus, fixtures, hasCorpus, root } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';

// The driver for C++ does what the driver for Node does: the same files, messages and log lines.

function program(name: string): string | undefined {
  return ['.', 'Release']
    .map((folder) => join(root, 'native/build', folder, name))
    .find((path) => existsSync(path));
}

const trial = program('sfkit_driver_trial');
const server = program('sfkit_seqpacket_server');
const directory = testDirectory();
const captures = ['webserver.scap', 'webserver-2017.scap', 'incident.scap', 'live.scap']
  .map((name) => join(fixtures, name))
  .filter(existsSync);

type Variables = Record<string, string>;

/** Runs the driver for C++; resolves with its output lines and its log. */
async function cpp(
  input: string,
  options: Record<string, string | number>,
  env: Variables = {},
): Promise<{ files: string[]; log: string }> {
  const args = Object.entries(options).map(([name, value]) => `${name}=${value}`);
  const { stdout, stderr } = await promisify(execFile)(trial as string, [input, ...args], { env });
  return { files: stdout.split('\n').filter((line) => line !== ''), log: stderr };
}

const node = (config: SysFlowConfig, env: Variables = {}) => new SysFlowDriver(config, env).run();

describe.skipIf(trial === undefined)('the driver for C++', () => {
  const settings: [string, SysFlowConfig, Record<string, string>, Variables][] = [
    ['by default', {}, {}, {}],
    ['with a filter', { falcoFilter: 'proc.name = curl' }, { filter: 'proc.name = curl' }, {}],
    ['of opens', { collectionMode: 'SFConsumerMode' }, { mode: 'opens' }, {}],
    ['without files', { collectionMode: 'SFNoFilesMode' }, { mode: 'none' }, {}],
    [
      'with variables',
      {},
      {},
      { FILE_ONLY: '0', ENABLE_PROC_FLOW: '0', FILE_READ_MODE: '0', NODE_IP: '10.1.2.3' },
    ],
  ];
  it.each(settings)('writes the same file %s', async (_name, config, options, env) => {
    for (const scapInputPath of captures) {
      const filePath = directory.path('flow.sf');
      await node({ scapInputPath, filePath, ...config }, env);
      const wanted = readFileSync(filePath);
      rmSync(filePath);
      const { files } = await cpp(scapInputPath, { output: filePath, ...options }, env);
      expect(files).toEqual([filePath]);
      expect(readFileSync(filePath).equals(wanted)).toBe(true);
    }
  });

  it.skipIf(!hasCorpus)('writes the same file of every capture, damaged ones too', async () => {
    const names = readdirSync(corpus, { recursive: true }).map(String);
    const all = names
      .filter((name) => /\.scap(\.gz)?$/.test(name))
      .map((name) => join(corpus, name));
    expect(all.length).toBeGreaterThan(100);
    const filePath = directory.path('flow.sf');
    /** The content of the file after a run, and the run's error. */
    const written = async (run: () => Promise<unknown>) => {
      const error = await run().then(
        () => '',
        (reason) => reason,
      );
      const content = existsSync(filePath) ? readFileSync(filePath, 'latin1') : undefined;
      rmSync(filePath, { force: true });
      return { content, error };
    };
    for (const scapInputPath of all) {
      const wanted = await written(() => node({ scapInputPath, filePath }));
      const got = await written(() => cpp(scapInputPath, { output: filePath }));
      expect(got.content === wanted.content, scapInputPath).toBe(true);
      // In C++, damage is in the summary.
      if (wanted.error === '' || wanted.error.code === 'EventParsingError') continue;
      expect(got.error.stderr, scapInputPath).toContain(`${wanted.error.code}: `);
    }
  });

  it.each(['flow', 'flows/'])('rotates %s in the same way', async (target) => {
    const scapInputPath = join(fixtures, 'webserver.scap');
    const filePath = directory.path(target);
    const { files } = await node({ scapInputPath, filePath, rotateInterval: 1 });
    expect(files.length).toBeGreaterThan(1);
    const wanted = await Promise.all(files.map(recordsOf));
    for (const path of files) rmSync(path);
    const again = await cpp(scapInputPath, { output: filePath, rotate: 1 });
    expect(again.files).toEqual(files);
    expect(await Promise.all(files.map(recordsOf))).toEqual(wanted);
    // The names are taken now.
    const third = await cpp(scapInputPath, { output: filePath, rotate: 1 });
    for (const file of third.files)
      expect((await recordsOf(file))[0]).toMatchObject({ type: 'Header', filename: file });
    expect(third.files).toHaveLength(files.length);
    expect(third.files[0]).toBe(`${files[0]}-1`);
    const fourth = await node({ scapInputPath, filePath, rotateInterval: 1 });
    expect(fourth.files[0]).toBe(`${files[0]}-2`);
  });

  it.skipIf(server === undefined)('sends the same messages', async () => {
    const scapInputPath = join(fixtures, 'webserver.scap');
    const env = { FILE_ONLY: '0', ENABLE_PROC_FLOW: '0', FILE_READ_MODE: '0' };
    const socket = directory.path('socket');
    const received = async (run: () => Promise<unknown>) => {
      const reader = spawn(server as string, [socket], { stdio: ['ignore', 'pipe', 'inherit'] });
      const lines = createInterface({ input: reader.stdout });
      const messages: string[] = [];
      await once(lines, 'line');
      lines.on('line', (line) => messages.push(line));
      const ended = once(lines, 'close');
      await run();
      await ended;
      return messages;
    };
    const wanted = await received(() => node({ scapInputPath, socketPath: socket }, env));
    const got = await received(() => cpp(scapInputPath, { socket }, env));
    expect(wanted.length).toBeGreaterThan(100);
    expect(got).toEqual(wanted);
  });

  it('logs the same lines', async () => {
    const scapInputPath = join(fixtures, 'webserver.scap');
    const socketPath = directory.path('nobody');
    const env = { GLOG_logtostderr: '1', GLOG_v: '1', ENABLE_STATS: '1', FILE_ONLY: 'on' };
    let text = '';
    const spy = vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
      text += String(chunk);
      return true;
    });
    try {
      await node({ scapInputPath, filePath: directory.path('a'), rotateInterval: 20 }, env);
    } finally {
      spy.mockRestore();
    }
    const { log } = await cpp(scapInputPath, { output: directory.path('b'), rotate: 20 }, env);
    expect(withoutTimes(log)).toEqual(withoutTimes(text));
    expect(withoutTimes(log).length).toBeGreaterThan(3);
    await expect(cpp('/nowhere.scap', { socket: socketPath }, {})).rejects.toMatchObject({
      stderr: expect.stringMatching(/^LibsError: .*nowhere\.scap/),
    });
  });

  const values = ['0', '1', '2', '3', '', 'true', 'yes', 'TRUE', 'Yes', 'no', 'False', 'on', '01'];
  it.each(values)('follows the same variables, and warns of the same values: %j', async (value) => {
    const env = Object.fromEntries(variableTable.map(({ name }) => [name, value]));
    const warnings: string[] = [];
    const wanted = readEnvironment(env, (message) => warnings.push(message));
    const { stdout } = await promisify(execFile)(trial as string, ['settings'], { env });
    const got = JSON.parse(stdout);
    expect(got).toEqual({ ...wanted, warnings: expect.any(Array) });
    expect(got.warnings.sort()).toEqual(warnings.sort());
  });

  it('changes nothing without variables', async () => {
    const { stdout } = await promisify(execFile)(trial as string, ['settings'], { env: {} });
    expect(JSON.parse(stdout)).toEqual({ warnings: [] });
  });
});

async function recordsOf(path: string): Promise<unknown[]> {
  const records: unknown[] = [];
  for await (const record of openCapture(path)) records.push(record);
  return records;
}

/** Lines of a log without times and sizes of tables: in Node, the engine is slightly ahead. */
function withoutTimes(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/^([IWE]) \S+Z /, '$1 ').replaceAll(/Table: \d+/g, 'Table: N'))
    .filter((line) => line !== '');
}
