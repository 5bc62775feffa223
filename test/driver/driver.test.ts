import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { openCapture } from '../../src/capture/capture.js';
import type { SysFlowConfig } from '../../src/driver/config.js';
import { SysFlowDriver } from '../../src/driver/driver.js';
import { checkProbe, type ReadFile } from '../../src/driver/probe.js';
import { SysFlowError, sysFlowErrorCodes } from '../../src/engine/sysflow-errors.js';
import { thisMachine } from '../../src/live/doctor.js';
import type { ActivityRecord } from '../../src/records/types.js';
import { fixtures } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';
import { readSf } from '../helpers/sf.js';
import { settled } from '../helpers/until.js';

const capture = join(fixtures, 'webserver.scap');
const directory = testDirectory();

describe('the callback', () => {
  it('gets every event and flow with its entities, before run() resolves', async () => {
    const wanted: ActivityRecord[] = [];
    for await (const record of openCapture(capture)) {
      const isEntity = ['Header', 'Container', 'Process', 'File', 'Ended'].includes(record.type);
      if (!isEntity) wanted.push(record as ActivityRecord);
    }
    const got: ActivityRecord[] = [];
    let isRunning = true;
    const driver = new SysFlowDriver(
      {
        scapInputPath: capture,
        callback(header, container, process, file1, _file2, record) {
          expect(isRunning).toBe(true);
          expect(header.exporter).not.toBe('');
          if ('procOID' in record) expect(process?.oid).toEqual(record.procOID);
          expect(container?.id ?? null).toBe(process?.containerId ?? null);
          if (record.type === 'FileFlow') expect(file1?.oid).toBe(record.fileOID);
          got.push(record);
        },
      },
      {},
    );
    const { records } = await driver.run();
    isRunning = false;
    expect(got).toEqual(wanted);
    expect(BigInt(got.filter(({ type }) => type === 'FileFlow').length)).toBe(records.FileFlow);
    expect(driver.version).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('that throws ends the run, which rejects with that error; the file has everything read so far', async () => {
    const failure = new Error('no more');
    let calls = 0;
    const filePath = directory.path('out.sf');
    const driver = new SysFlowDriver(
      {
        scapInputPath: capture,
        filePath,
        callback() {
          calls += 1;
          if (calls === 3) throw failure;
        },
      },
      {},
    );
    await expect(driver.run()).rejects.toBe(failure);
    expect(calls).toBe(3);
    const types: string[] = [];
    for await (const { type } of openCapture(filePath)) types.push(type);
    expect(types.length).toBeGreaterThan(3);
  });

  it('can return a promise, which the driver awaits', async () => {
    let open = 0;
    let most = 0;
    const driver = new SysFlowDriver(
      {
        scapInputPath: capture,
        async callback() {
          open += 1;
          most = Math.max(most, open);
          await turn();
          open -= 1;
        },
      },
      {},
    );
    await driver.run();
    expect({ open, most }).toEqual({ open: 0, most: 1 });
  });

  it('sets the pace: the engine is never far ahead', async () => {
    // Captures can be concatenated.
    const scapInputPath = directory.path('long.scap');
    writeFileSync(
      scapInputPath,
      Buffer.concat(Array.from({ length: 300 }, () => readFileSync(capture))),
    );
    let ahead = 0n;
    const opened = openCapture(scapInputPath, { fileReadMode: 'all', processFlow: false });
    let count = 0;
    for await (const _ of opened) {
      count += 1;
      if (count !== 10) continue;
      ahead = await settled(() =>
        Object.values(opened.summary().records).reduce((sum, some) => sum + some, 0n),
      );
    }
    expect(ahead).toBeLessThan(10_000n);
    expect(count).toBeGreaterThan(30_000);
  });

  it('ends the run when its signal is aborted, as with exit()', async () => {
    const controller = new AbortController();
    let calls = 0;
    const filePath = directory.path('s.sf');
    const driver = new SysFlowDriver(
      {
        scapInputPath: capture,
        filePath,
        callback() {
          calls += 1;
          controller.abort();
        },
      },
      {},
    );
    const { files } = await driver.run({ signal: controller.signal });
    expect(calls).toBeGreaterThan(0);
    expect(files).toEqual([filePath]);
    const never = new SysFlowDriver(
      { scapInputPath: capture, callback: () => expect.unreachable() },
      {},
    );
    await never.run({ signal: AbortSignal.abort() });
  });

  it('can end the run: exit() delivers everything read so far and resolves', async () => {
    let calls = 0;
    const driver = new SysFlowDriver(
      {
        scapInputPath: capture,
        callback() {
          calls += 1;
          driver.exit();
        },
      },
      {},
    );
    const summary = await driver.run();
    expect(calls).toBeGreaterThan(0);
    expect(summary.damage).toEqual([]);
    await expect(driver.run()).rejects.toMatchObject({ code: 'OperationNotSupported' });
  });
});

describe('statistics', () => {
  it('are emitted every 30 seconds, at a rotation and at the end, as an event and in the log', async () => {
    let text = '';
    vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
      text += String(chunk);
      return true;
    });
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const emitted: { reason: string; records: bigint }[] = [];
    let calls = 0;
    try {
      const driver = new SysFlowDriver(
        {
          scapInputPath: capture,
          filePath: directory.path('flow'),
          rotateInterval: 20,
          enableStats: true,
          callback() {
            calls += 1;
            if (calls === 5) vi.advanceTimersByTime(30_000);
          },
        },
        { GLOG_logtostderr: '1' },
      );
      driver.on('statistics', ({ reason, records }) => emitted.push({ reason, records }));
      await driver.run();
    } finally {
      vi.useRealTimers();
      vi.restoreAllMocks();
    }
    expect(emitted.map(({ reason }) => reason)).toEqual([
      'interval',
      'rotation',
      'rotation',
      'end',
    ]);
    const counts = emitted.map(({ records }) => records);
    expect([...counts].sort((a, b) => Number(a - b))).toEqual(counts);
    expect(counts[0]).toBeLessThan(counts[3] as bigint);
    const lines = text.match(
      /Container Table: \d+ Process Table: \d+ .* Num Records Written: \d+/g,
    );
    expect(lines).toHaveLength(4);
  });
});

describe('rotation by event time', () => {
  it('starts a complete file with a header every interval', async () => {
    const run = (config: SysFlowConfig) =>
      new SysFlowDriver({ scapInputPath: capture, ...config }, {}).run();
    const { files } = await run({ filePath: directory.path('flow'), rotateInterval: 1 });
    expect(files.length).toBeGreaterThan(1);
    expect(readdirSync(directory.path()).sort()).toEqual(
      files.map((path) => path.slice(directory.path().length + 1)).sort(),
    );
    let activities = 0;
    for (const path of files) {
      expect(path).toMatch(/flow\.\d{10}$/);
      activities += await countIfWhole(path);
    }
    const whole = await run({ filePath: directory.path('whole.sf') });
    expect(whole.files).toEqual([directory.path('whole.sf')]);
    expect(activities).toBe(await countIfWhole(directory.path('whole.sf')));
  });
});

describe('the name in the header', () => {
  const namesIn = async (path: string) =>
    (await readSf(path))
      .filter(({ type }) => type === 'SFHeader')
      .map(({ fields }) => fields.filename);
  const run = (config: SysFlowConfig) => {
    const seen = new Set<string>();
    const callback = (header: { filename: string }) => void seen.add(header.filename);
    const driver = new SysFlowDriver({ scapInputPath: capture, callback, ...config }, {});
    return driver.run().then(({ files }) => ({ files, seen: [...seen] }));
  };

  it.each([
    ['a file', 'x.sf', 0],
    ['files of a prefix', 'flow', 10],
    ['a file in a directory', 'one/', 0],
    ['files in a directory', 'many/', 10],
  ])('is that of %s', async (_, name, rotateInterval) => {
    const { files, seen } = await run({ filePath: directory.path(name), rotateInterval });
    expect(files.length).toBeGreaterThan(rotateInterval > 0 ? 3 : 0);
    for (const file of files) expect(await namesIn(file)).toEqual([file]);
    expect(seen).toEqual(files);
  });

  it('is that of the file if the wanted name is taken, finished or not', async () => {
    const filePath = directory.path('flow');
    const { files } = await run({ filePath, rotateInterval: 10 });
    writeFileSync(`${files[1]}-1.part`, '');
    const again = await run({ filePath, rotateInterval: 10 });
    expect(again.files).toEqual([
      `${files[0]}-1`,
      `${files[1]}-2`,
      ...files.slice(2).map((file) => `${file}-1`),
    ]);
    for (const file of again.files) expect(await namesIn(file)).toEqual([file]);
    expect(again.seen).toEqual(again.files);
  });

  it('has the second of the first event, whatever comes before it', async () => {
    const { files } = await run({ filePath: directory.path('all/') });
    const filtered = { filePath: directory.path('some/'), falcoFilter: 'proc.name = nobody' };
    expect((await run(filtered)).files).toEqual([files[0]?.replace('all/', 'some/')]);
  });

  it('is empty without a file', async () => {
    expect((await run({})).seen).toEqual(['']);
  });
});

/**
 * Counts events and flows of a file; checks that it starts with a header and resolves every
 * reference.
 */
async function countIfWhole(path: string): Promise<number> {
  const known = new Set<string>();
  let count = 0;
  let activities = 0;
  const key = (oid: { createTS: bigint; hpid: bigint }) => `${oid.createTS} ${oid.hpid}`;
  for await (const record of openCapture(path)) {
    expect(record.type === 'Header').toBe(count === 0);
    count += 1;
    if (record.type === 'Process') {
      if (record.poid !== null && record.state !== 'MODIFIED')
        expect(known).toContain(key(record.poid));
      if (record.containerId !== null) expect(known).toContain(record.containerId);
      known.add(key(record.oid));
    }
    if (record.type === 'File') known.add(record.oid);
    if (record.type === 'Container') known.add(record.id);
    if ('procOID' in record) {
      activities += 1;
      expect(known).toContain(key(record.procOID));
    }
    if ('fileOID' in record) expect(known).toContain(record.fileOID);
    if (record.type === 'FileEvent' && record.newFileOID !== null)
      expect(known).toContain(record.newFileOID);
  }
  return activities;
}

describe('every error code is raised as documented', () => {
  const callback = () => {};
  const raise = (config: SysFlowConfig, env = {}) =>
    codeOf(() => new SysFlowDriver(config, env).run());
  const failing =
    (code: string): ReadFile =>
    () => {
      throw Object.assign(new Error(code), { code });
    };

  // A machine on which the probe of sfkit cannot work.
  const machine = { ...thisMachine, platform: 'darwin' };
  const noModule = () => Buffer.from('ext4 1 0 - Live 0x0\n');

  const cases: Record<string, () => Promise<string>> = {
    LibsError: () => raise({ scapInputPath: directory.path('none.scap'), callback }),
    ProbeAccessDenied: () =>
      codeOf(() => checkProbe('EBPF', { bpfProbe: '/p.o', readFile: failing('EACCES') })),
    ProbeNotExist: () =>
      raise({ driverType: 'EBPF', callback }, { FALCO_BPF_PROBE: directory.path('none.o') }),
    ErrorReadingFileSystem: () =>
      codeOf(() => checkProbe('EBPF', { bpfProbe: '/p.o', readFile: failing('EIO') })),
    NameTooLong: () =>
      raise({ driverType: 'EBPF', callback }, { FALCO_BPF_PROBE: `/${'n'.repeat(300)}` }),
    ProbeCheckError: () => {
      writeFileSync(directory.path('file'), '');
      return raise(
        { driverType: 'EBPF', callback },
        { FALCO_BPF_PROBE: directory.path('file', 'p.o') },
      );
    },
    ProbeNotLoaded: () => codeOf(() => checkProbe('KMOD', { machine, readFile: noModule })),
    DriverLibsMismatch: () => {
      writeFileSync(directory.path('p.o'), '\x7fELF and no version');
      return raise({ driverType: 'EBPF', callback }, { FALCO_BPF_PROBE: directory.path('p.o') });
    },
    EventParsingError: () =>
      raise({ scapInputPath: join(fixtures, 'seeds/captures/cut-in-event.scap'), callback }),
    ProcResourceNotFound: () =>
      codeOf(() => checkProbe('KMOD', { machine, readFile: failing('ENOENT') })),
    OperationNotSupported: () => codeOf(() => checkProbe('CORE_EBPF', { machine })),
  };

  it.each(sysFlowErrorCodes)('%s', async (code) => {
    expect(await cases[code]?.()).toBe(code);
  });

  it('with a usable probe file or module, the error is that of the probe of sfkit', async () => {
    const object = () => Buffer.from('\x7fELF..api_version..', 'latin1');
    const module = () => Buffer.from('falco 7 0 - Live 0x0\n');
    const ofEbpf = { bpfProbe: '/p.o', readFile: object, machine };
    expect(await codeOf(() => checkProbe('EBPF', ofEbpf))).toBe('OperationNotSupported');
    const ofModule = { readFile: module, machine };
    expect(await codeOf(() => checkProbe('KMOD', ofModule))).toBe('OperationNotSupported');
  });

  it('EBPF without FALCO_BPF_PROBE looks in the home directory', () => {
    const readFile: ReadFile = (path) => {
      throw Object.assign(new Error(path), { code: 'ENOENT' });
    };
    const check = (home?: string) => () => checkProbe('EBPF', { home, readFile, machine });
    expect(check('/home/me')).toThrow('/home/me/.falco/falco-bpf.o');
    expect(check()).toThrow('/root/.falco/falco-bpf.o');
  });

  it('a damaged capture first delivers its records', async () => {
    let calls = 0;
    const callback = () => {
      calls += 1;
    };
    const filePath = directory.path('out.sf');
    const scapInputPath = directory.path('cut.scap');
    writeFileSync(scapInputPath, readFileSync(capture).subarray(0, 40_000));
    const driver = new SysFlowDriver({ scapInputPath, filePath, callback }, {});
    await expect(driver.run()).rejects.toMatchObject({
      name: 'SysFlowError',
      code: 'EventParsingError',
      message: expect.stringContaining('everything readable was delivered'),
    });
    expect(calls).toBeGreaterThan(0);
    expect(existsSync(filePath)).toBe(true);
  });
});

async function codeOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (error instanceof SysFlowError) return error.code;
    throw error;
  }
  return 'none';
}
