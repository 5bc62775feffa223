import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  driverTypes,
  engineOptions,
  resolveConfig,
  type SysFlowConfig,
} from '../../src/driver/config.js';
import { SysFlowDriver } from '../../src/driver/driver.js';
import { readEnvironment, withEnvironment } from '../../src/driver/environment.js';
import type { ActivityRecord, HeaderRecord } from '../../src/records/types.js';
import { fixtures } from '../helpers/corpus.js';
import { goldenText } from '../helpers/golden-text.js';

const capture = join(fixtures, 'webserver.scap');
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-driver-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

interface Run {
  header: HeaderRecord | undefined;
  records: ActivityRecord[];
  containers: number;
}

async function run(config: SysFlowConfig, env = {}): Promise<Run> {
  const result: Run = { header: undefined, records: [], containers: 0 };
  const driver = new SysFlowDriver(
    {
      scapInputPath: capture,
      callback(header, container, _process, _file1, _file2, record) {
        result.header = header;
        if (container !== null) result.containers += 1;
        result.records.push(record);
      },
      ...config,
    },
    env,
  );
  await driver.run();
  return result;
}

const types = ({ records }: Run) => records.map(({ type }) => type);

describe('each field of the configuration has a visible effect', () => {
  it('exporterID, nodeIP: in the header, which the callback gets filled', async () => {
    const { header } = await run({ exporterID: 'box', nodeIP: '10.0.0.1' });
    expect(header).toMatchObject({ type: 'Header', version: 5n, exporter: 'box', ip: '10.0.0.1' });
  });

  it('falcoFilter: only events that pass make records', async () => {
    const all = await run({});
    const some = await run({ falcoFilter: 'proc.name = curl' });
    expect(some.records.length).toBeGreaterThan(0);
    expect(some.records.length).toBeLessThan(all.records.length);
  });

  it('filterContainers: only processes in containers', async () => {
    const all = await run({});
    const some = await run({ filterContainers: true });
    expect(all.containers).toBeLessThan(all.records.length);
    expect(some.containers).toBe(some.records.length);
  });

  it('fileOnly: whether pipes and sockets make flows', async () => {
    const scapInputPath = join(fixtures, 'seeds/captures/events-57.scap');
    const all = await run({ scapInputPath, fileOnly: false, fileReadMode: 0 });
    const some = await run({ scapInputPath, fileOnly: true, fileReadMode: 0 });
    expect(all.records.length).toBeGreaterThan(some.records.length);
  });

  it('fileReadMode: 0 keeps most flows, 1 fewest', async () => {
    const [all, none, select] = await Promise.all(
      ([0, 1, 2] as const).map(
        async (fileReadMode) => (await run({ fileReadMode })).records.length,
      ),
    );
    expect(all).toBeGreaterThan(select as number);
    expect(select).toBeGreaterThan(none as number);
  });

  it('enableProcessFlow: threads are counted in flows or written one by one', async () => {
    const flows = types(await run({ enableProcessFlow: true }));
    const events = types(await run({ enableProcessFlow: false }));
    expect(flows).toContain('ProcessFlow');
    expect(events).not.toContain('ProcessFlow');
  });

  it('collectionMode, enableConsumerMode: what to collect of files', async () => {
    const consumer = await run({ collectionMode: 'SFConsumerMode', fileReadMode: 0 });
    const flows = consumer.records.filter((record) => record.type === 'FileFlow');
    expect(flows.length).toBeGreaterThan(0);
    for (const flow of flows)
      expect(flow).toMatchObject({ opFlags: 128, numRRecvOps: 0n, endTs: flow.ts });
    const same = await run({ enableConsumerMode: true, fileReadMode: 0 });
    expect(same.records).toEqual(consumer.records);
    const none = await run({ collectionMode: 'SFNoFilesMode' });
    expect(types(none)).not.toContain('FileFlow');
    expect(types(none)).not.toContain('FileEvent');
    expect(types(none)).toContain('NetworkFlow');
  });

  it('filePath: the file, or a file in the directory, named after the second of the first event', async () => {
    await run({ filePath: join(directory, 'out.sf') });
    expect(readdirSync(directory)).toEqual(['out.sf']);
    await run({ filePath: `${directory}/` });
    expect(readdirSync(directory).filter((name) => /^\d{10}$/.test(name))).toHaveLength(1);
  });

  it('enableStats: statistics are emitted at the end', async () => {
    const emitted: string[] = [];
    for (const enableStats of [false, true]) {
      const driver = new SysFlowDriver({ scapInputPath: capture, callback() {}, enableStats }, {});
      driver.on('statistics', ({ reason, records }) => emitted.push(`${reason} ${records > 0n}`));
      await driver.run();
    }
    expect(emitted).toEqual(['end true']);
  });

  it('moduleChecks and driverType: missing requirements of live capture are reported', () => {
    const env = { FALCO_BPF_PROBE: join(directory, 'none.o') };
    const code = (config: SysFlowConfig) =>
      codeOf(() => new SysFlowDriver({ callback() {}, ...config }, env));
    expect(code({ driverType: 'EBPF' })).toBe('ProbeNotExist');
    // test/live/doctor.test.ts covers the requirements of sfkit's probe.
    for (const driverType of driverTypes)
      expect(code({ driverType, moduleChecks: false })).toBe('none');
  });

  it.each([
    ['EBPF', 'EBPF'],
    ['KMOD', 'KMOD'],
    ['CORE_EBPF', 'CORE_EBPF'],
    ['NO_DRIVER', 'CORE_EBPF'],
    [undefined, 'CORE_EBPF'],
  ] as const)('driverType %s without a capture: the probe of sfkit', (driverType, resolved) => {
    const config = resolveConfig({ callback() {}, driverType } as SysFlowConfig);
    expect(config.driverType).toBe(resolved);
    expect(engineOptions(config).kind).toBe('live');
  });

  it('HOST_ROOT reaches the engine', () => {
    const { config, hostRoot } = withEnvironment({ callback() {} }, { HOST_ROOT: '/host' });
    expect(engineOptions(resolveConfig(config), hostRoot)).toMatchObject({
      live: { hostRoot: '/host' },
    });
  });

  it('fields of live capture reach the engine', () => {
    const optionsOf = (config: SysFlowConfig) =>
      engineOptions(resolveConfig({ callback() {}, ...config }));
    expect(optionsOf({})).toMatchObject({
      kind: 'live',
      rotateInterval: 300,
      live: { allSyscalls: false, samplingRatio: 1, ringBytes: 8388608, cpusPerRing: 0 },
    });
    expect(
      optionsOf({
        dropMode: false,
        samplingRatio: 4,
        singleBufferDimension: 3 * 4096,
        cpuBuffers: 2,
        rotateInterval: 0,
      }),
    ).toMatchObject({
      rotateInterval: 0,
      live: { allSyscalls: true, samplingRatio: 4, ringBytes: 16384, cpusPerRing: 2 },
    });
    expect(optionsOf({ scapInputPath: capture })).toMatchObject({
      kind: 'capture',
      input: capture,
    });
  });

  it.each([
    [0, 8388608],
    [4096, 4096],
    [8192, 8192],
    [3 * 4096, 16384],
    [268435456, 268435456],
  ])('singleBufferDimension %d: buffers of %d bytes', (singleBufferDimension, ringBytes) => {
    const config = resolveConfig({ callback() {}, singleBufferDimension });
    expect(engineOptions(config)).toMatchObject({ live: { ringBytes } });
  });

  it.each([4, '4', '004'])('samplingRatio %j: a number or its digits', (samplingRatio) => {
    const config = resolveConfig({ callback() {}, samplingRatio });
    expect(config.samplingRatio).toBe(4);
    expect(engineOptions(config)).toMatchObject({ live: { samplingRatio: 4 } });
  });

  it.each(['', '0', '129', '1.5', '0x4', ' 4', '-4', '1e2', 'four', true, null, 1.5, 129])(
    'samplingRatio %j is rejected, except null, which means the default',
    (samplingRatio) => {
      const code = codeOf(() => resolveConfig({ callback() {}, samplingRatio } as SysFlowConfig));
      expect(code).toBe(samplingRatio === null ? 'none' : 'LibsError');
    },
  );

  it.each([
    ['shop', 'shop'],
    ['/usr/bin/shop', 'shop'],
    ['', 'sysflowlibs'],
    ['bin/', 'sysflowlibs'],
  ])('appName %j: the last part of a path', (appName, name) => {
    expect(resolveConfig({ callback() {}, appName }).appName).toBe(name);
  });

  it('fields of live capture are checked and get defaults', () => {
    const config = { callback() {}, scapInputPath: capture };
    expect(resolveConfig(config)).toMatchObject({
      samplingRatio: 1,
      dropMode: true,
      singleBufferDimension: 0,
      cpuBuffers: 0,
      criPath: '',
      criTO: 30,
      k8sAPIURL: '',
      k8sAPICert: '',
      rotateInterval: 0,
      appName: 'sysflowlibs',
      driverType: 'NO_DRIVER',
    });
    const live = {
      samplingRatio: 4,
      dropMode: false,
      singleBufferDimension: 65536,
      cpuBuffers: 2,
      criPath: '/run/containerd.sock',
      criTO: 0,
      k8sAPIURL: 'https://127.0.0.1:6443',
      k8sAPICert: '/cert.pem',
    };
    expect(resolveConfig({ ...config, ...live })).toMatchObject(live);
    expect(resolveConfig({ callback() {} })).toMatchObject({
      rotateInterval: 300,
      driverType: 'CORE_EBPF',
    });
  });
});

describe('environment variables', () => {
  it('override the configuration', async () => {
    const config = { fileOnly: true, fileReadMode: 2 as const, nodeIP: 'configured' };
    const { header, records } = await run(config, {
      FILE_ONLY: '0',
      FILE_READ_MODE: '0',
      NODE_IP: '10.9.9.9',
    });
    expect(header?.ip).toBe('10.9.9.9');
    expect(records).toHaveLength((await run({ fileOnly: false, fileReadMode: 0 })).records.length);
  });

  it('each variable', () => {
    const env = {
      ENABLE_STATS: '1',
      ENABLE_DROP_MODE: '0',
      FILE_ONLY: 'no',
      ENABLE_PROC_FLOW: '1',
      FILE_READ_MODE: '1',
      NODE_IP: '',
      DRIVER_LOG: '1',
      SF_K8S_API_URL: 'http://k8s',
      SF_K8S_API_CERT: '/cert',
      HOST_ROOT: '/host',
      FALCO_BPF_PROBE: '/probe.o',
    };
    expect(readEnvironment(env)).toEqual({
      enableStats: true,
      dropMode: false,
      fileOnly: false,
      enableProcessFlow: true,
      fileReadMode: 1,
      nodeIP: '',
      debugMode: true,
      k8sAPIURL: 'http://k8s',
      k8sAPICert: '/cert',
      hostRoot: '/host',
      bpfProbe: '/probe.o',
    });
    expect(readEnvironment({ FILE_READ_MODE: '', HOST_ROOT: '', FALCO_BPF_PROBE: '' })).toEqual({});
    expect(withEnvironment({ nodeIP: 'configured' }, {})).toEqual({
      config: { nodeIP: 'configured' },
    });
  });

  const switches = {
    ENABLE_DROP_MODE: 'dropMode',
    FILE_ONLY: 'fileOnly',
    ENABLE_PROC_FLOW: 'enableProcessFlow',
    DRIVER_LOG: 'debugMode',
  } as const;

  it.each([
    ...['1', 'true', 'TRUE', 'True', 'yes', 'YES', 'yEs'].map((text) => [text, true] as const),
    ...['0', 'false', 'FALSE', 'False', 'no', 'NO', 'nO'].map((text) => [text, false] as const),
  ])('a switch can be %s', (text, wanted) => {
    const warnings: string[] = [];
    for (const [name, field] of Object.entries(switches))
      expect(readEnvironment({ [name]: text }, (line) => warnings.push(line))).toEqual({
        [field]: wanted,
      });
    // As in the collector, this variable only switches on.
    expect(readEnvironment({ ENABLE_STATS: text }, (line) => warnings.push(line))).toEqual(
      wanted ? { enableStats: true } : {},
    );
    expect(warnings).toEqual([]);
  });

  it.each(['', 'on', 'off', '2', 'y', 'tru', ' 1', 'toString', 'TRUE\x1b[2J'])(
    'another value of a switch, such as %j, means off, with a warning',
    (text) => {
      for (const [name, field] of Object.entries(switches)) {
        const warnings: string[] = [];
        expect(readEnvironment({ [name]: text }, (line) => warnings.push(line))).toEqual({
          [field]: false,
        });
        expect(warnings).toEqual([
          expect.stringMatching(
            new RegExp(`^${name}='.*' in the environment: expected 1, true, yes, 0, false or no; `),
          ),
        ]);
        expect(warnings.join('')).not.toContain('\x1b');
      }
    },
  );

  it.each(['3', '-1', 'all', '01'])('FILE_READ_MODE=%s is ignored, with a warning', (text) => {
    const warnings: string[] = [];
    expect(readEnvironment({ FILE_READ_MODE: text }, (line) => warnings.push(line))).toEqual({});
    expect(warnings).toEqual([
      `FILE_READ_MODE='${text}' in the environment: expected 0, 1 or 2; it is ignored`,
    ]);
  });

  it.each(['localhost', 'ftp://k8s', '//k8s', 'https://', 'k8s:6443/x y'])(
    'SF_K8S_API_URL=%s is a warning in the log, and an error if the configuration asks for Kubernetes',
    async (url) => {
      let text = '';
      const spy = vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
        text += String(chunk);
        return true;
      });
      const env = { SF_K8S_API_URL: url, GLOG_stderrthreshold: '1' };
      try {
        const driver = new SysFlowDriver({ scapInputPath: capture, callback() {} }, env);
        expect(driver.config.k8sAPIURL).toBe('');
        await driver.run();
      } finally {
        spy.mockRestore();
      }
      expect(text).toMatch(/^W .*SF_K8S_API_URL=.*expected an http or https URL; it is ignored\n$/);
      const asking = { scapInputPath: capture, callback() {}, k8sAPIURL: 'https://k8s' };
      expect(() => new SysFlowDriver(asking, env)).toThrow(
        /SF_K8S_API_URL='.*' in the environment: expected an http or https URL$/,
      );
      expect(codeOf(() => new SysFlowDriver(asking, env))).toBe('LibsError');
    },
  );
});

describe('a wrong configuration', () => {
  const callback = () => {};
  // Every message, by subject.
  const wrong: [string, Record<string, unknown>][] = [
    ['misspelt field', { scapInputPath: capture, callback, fileOnyl: true }],
    ['unknown field', { scapInputPath: capture, callback, colour: 1 }],
    ['nothing', {}],
    ['no output', { scapInputPath: 'a.scap' }],
    ['a capture and a driver', { scapInputPath: 'a.scap', callback, driverType: 'KMOD' }],
    [
      'two modes',
      {
        scapInputPath: 'a.scap',
        callback,
        enableConsumerMode: true,
        collectionMode: 'SFNoFilesMode',
      },
    ],
    ...Object.entries({
      scapInputPath: 7,
      callback: 'print',
      filePath: 'a\0b',
      socketPath: 's'.repeat(120),
      rotateInterval: -1,
      exporterID: ['box'],
      nodeIP: 1,
      falcoFilter: {},
      filterContainers: 'yes',
      fileOnly: 1,
      fileReadMode: 3,
      enableProcessFlow: 'on',
      collectionMode: 'SFConsumer',
      enableConsumerMode: 0,
      enableStats: 'x',
      debugMode: 2,
      appName: 'a\0b',
      moduleChecks: 'no',
      driverType: 'ebpf',
      samplingRatio: 0,
      dropMode: 'off',
      singleBufferDimension: 1000,
      cpuBuffers: -1,
      criPath: false,
      criTO: -1,
      k8sAPIURL: 'localhost',
      k8sAPICert: 1,
    }).map(([name, value]): [string, Record<string, unknown>] => [
      name,
      { scapInputPath: 'a.scap', callback, [name]: value },
    ]),
    ['filter', { scapInputPath: 'a.scap', callback, falcoFilter: 'proc.nam = a' }],
  ];

  it('is rejected with a message that names the field, the value and the permitted values', () => {
    const messages = wrong.map(([about, config]) => {
      try {
        new SysFlowDriver(config, {});
        return `${about}: accepted`;
      } catch (error) {
        const { code, message } = error as { code: string; message: string };
        return `${about}: ${code}: ${message.replaceAll(capture, 'CAPTURE')}`;
      }
    });
    expect(`${messages.join('\n')}\n`).toBe(goldenText('driver/wrong-config.txt', messages));
  });
});

function codeOf(action: () => unknown): string {
  try {
    action();
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
}
