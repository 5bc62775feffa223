import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCapture } from '../../src/capture/capture.js';
import type { SysFlowCallback, SysFlowConfig } from '../../src/driver/config.js';
import { SysFlowDriver } from '../../src/driver/driver.js';
import { containerTypes } from '../../src/engine/schema.gen.js';
import { SysFlowError, sysFlowErrorCodes } from '../../src/engine/sysflow-errors.js';
import type { ActivityRecord, CaptureRecord } from '../../src/records/types.js';
import { capturesIn, corpusCaptures, fixtures, root } from '../helpers/corpus.js';
import {
  type Build,
  compile,
  exists,
  installInto,
  type Program,
  programs,
  succeed,
} from '../helpers/libsysflow.js';
import { liveTitle, noLive } from '../helpers/live.js';
import { until } from '../helpers/until.js';

const capture = join(fixtures, 'webserver.scap');
const clang = ['clang++', 'clang++-14'].find(exists);

let directory: string;
let prefix: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-libsysflow-'));
  prefix = installInto(join(directory, 'prefix'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const compiled = new Map<string, string>();

/** The program, compiled once for each build. */
function program(name: Program, build: Build = { compiler: 'g++', library: 'archive' }): string {
  const key = `${name}-${build.compiler}-${build.library}${(build.options ?? []).join('')}`;
  const path =
    compiled.get(key) ?? compile(prefix, name, build, join(directory, key.replaceAll('/', '_')));
  compiled.set(key, path);
  return path;
}

/** Runs a program with only the given environment variables. */
function run(path: string, args: string[] = [], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(path, args, {
    encoding: 'utf8',
    env,
    maxBuffer: 1 << 28,
  });
  return { status, stdout, stderr };
}

const builds: [string, Build][] = [
  ['g++, the archive', { compiler: 'g++', library: 'archive' }],
  ['g++, the shared library', { compiler: 'g++', library: 'shared' }],
  ['g++, all static', { compiler: 'g++', library: 'archive', options: ['-static'] }],
];
if (clang !== undefined) {
  builds.push(['clang++, the archive', { compiler: clang, library: 'archive' }]);
  builds.push(['clang++, the shared library', { compiler: clang, library: 'shared' }]);
}

describe.each(builds)('programs for libSysFlow, compiled in C++17 with %s', (_title, build) => {
  it.each(programs)('%s compiles without a warning', (name) => {
    expect(program(name, build)).not.toBe('');
  });

  it('the example of the documentation reads a capture', () => {
    expect(run(program('seed', build), [capture])).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('types: strings, null pointers, unions, macros, exceptions and copies behave', () => {
    expect(run(program('types', build), [capture])).toEqual({
      status: 0,
      stdout: 'all well\n',
      stderr: '',
    });
  });

  it('signals: exit() in a signal handler ends the run', () => {
    const { stdout, status } = run(program('signals', build), [capture, 'raise']);
    expect(stdout).toMatch(
      /^version \d+\.\d+\.\d+\nfirst record\nrun returned 0 after \d+ records/,
    );
    expect(status).toBe(0);
  });

  it('count: as many records as the driver for Node', async () => {
    expect(counted(capture, [], build)).toEqual(await countsOfNode({ scapInputPath: capture }));
  });
});

it('each header compiles alone, in C++17 and in C++20', () => {
  const path = join(directory, 'alone.cpp');
  const headers = ['sysflowlibs.hpp', 'sfconfig.h', 'sysflowexception.h', 'op_flags.h'].concat([
    'enums.hh',
    'sysflow.hh',
    'sysflow.h',
  ]);
  for (const header of headers) {
    for (const standard of ['c++17', 'c++20']) {
      writeFileSync(path, `#include "sysflow/${header}"\nint main() {}\n`);
      const warnings = ['-Wall', '-Wextra', '-Wpedantic', '-Werror'];
      // Only one folder: programs need not name both.
      for (const folder of standard === 'c++17' ? ['include', 'include/sysflow'] : ['include']) {
        const include = `-I${join(prefix, folder)}`;
        succeed('g++', [`-std=${standard}`, ...warnings, '-fsyntax-only', include, path]);
      }
    }
  }
});

/** What a run delivers: records by type, how many have a container, files, and the error's code. */
type Counts = Record<string, number>;

function counted(path: string, settings: string[] = [], build?: Build, env = {}): Counts {
  return JSON.parse(run(program('count', build), [path, ...settings], env).stdout);
}

/** Counts a record of Node as count.cpp does. */
function count(
  counts: Counts,
  record: ActivityRecord,
  [container, ...files]: readonly (object | null)[],
): void {
  // The records of C++ have no room for IPv6.
  if (record.type === 'NetworkFlow' && record.family === 6) return;
  const add = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  add(record.type);
  if (container !== null) add('containers');
  for (const file of files) if (file !== null) add('files');
}

async function countsOfNode(config: SysFlowConfig, env = {}): Promise<Counts> {
  const counts: Counts = { code: -1, containers: 0, files: 0 };
  const callback: SysFlowCallback = (_header, container, _process, file1, file2, record) =>
    count(counts, record, [container, file1, file2]);
  try {
    await new SysFlowDriver({ ...config, callback }, env).run();
  } catch (error) {
    if (!(error instanceof SysFlowError)) throw error;
    counts.code = sysFlowErrorCodes.indexOf(error.code);
  }
  return counts;
}

describe('the callback', () => {
  const captures = [
    ...capturesIn(fixtures).map((path) => ({ name: path.slice(fixtures.length + 1), path })),
    ...corpusCaptures(),
  ];

  it.each(captures)(
    'counts and errors of $name are those of the driver for Node',
    async ({ path }) => {
      expect(counted(path)).toEqual(await countsOfNode({ scapInputPath: path }));
      const full = { fileOnly: false, fileReadMode: 0, enableProcessFlow: false } as const;
      expect(counted(path, ['fileOnly=0', 'fileReadMode=0', 'enableProcessFlow=0'])).toEqual(
        await countsOfNode({ scapInputPath: path, ...full }),
      );
    },
  );

  it.each([
    ['filterContainers=1', { filterContainers: true }],
    ['falcoFilter=proc.name = curl', { falcoFilter: 'proc.name = curl' }],
    ['collectionMode=1', { collectionMode: 'SFConsumerMode' }],
    ['collectionMode=2', { collectionMode: 'SFNoFilesMode' }],
    ['enableConsumerMode=1', { enableConsumerMode: true }],
    ['enableProcessFlow=0', { enableProcessFlow: false }],
    ['fileReadMode=1', { fileReadMode: 1 }],
  ] as [string, SysFlowConfig][])(
    '%s has the effect that it has in Node',
    async (setting, config) => {
      const counts = counted(capture, [setting]);
      expect(counts).toEqual(await countsOfNode({ scapInputPath: capture, ...config }));
      expect(counts).not.toEqual(counted(capture));
    },
  );

  it('environment variables override the configuration', async () => {
    const env = { FILE_READ_MODE: '0', ENABLE_PROC_FLOW: '0', FILE_ONLY: '0' };
    const counts = counted(capture, [], undefined, env);
    expect(counts).toEqual(await countsOfNode({ scapInputPath: capture }, env));
    expect(counts).not.toEqual(counted(capture));
  });

  it('a file of records can be written at the same time, with the configured header', async () => {
    const filePath = join(directory, 'flows.sf');
    const settings = [`filePath=${filePath}`, 'exporterID=box', 'nodeIP=10.0.0.1'];
    const { code, containers, files, ...counts } = counted(capture, settings);
    const records: CaptureRecord[] = [];
    for await (const record of openCapture(filePath)) records.push(record);
    expect(records[0]).toMatchObject({ exporter: 'box', ip: '10.0.0.1', filename: filePath });
    for (const [type, count] of Object.entries(counts))
      expect([type, records.filter((record) => record.type === type).length]).toEqual([
        type,
        count,
      ]);
  });

  it('files of an interval, and files in a directory, are named after seconds', () => {
    const folder = join(directory, 'files');
    counted(capture, [`filePath=${folder}/`]);
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^\d+$/)]);
    counted(capture, [`filePath=${folder}/flows`, 'rotateInterval=1']);
    const rotated = readdirSync(folder).filter((name) => name.startsWith('flows'));
    expect(rotated.length).toBeGreaterThan(1);
    expect(rotated.filter((name) => !/^flows\.\d+$/.test(name))).toEqual([]);
  });

  it('enableStats logs the sizes of tables, and debugMode logs everything', () => {
    const log = (settings: string[], env = {}) =>
      run(program('count'), [capture, ...settings], env);
    expect(log([]).stderr).toBe('');
    expect(log(['enableStats=1'], { GLOG_logtostderr: '1' }).stderr).toMatch(
      /Container Table: \d+/,
    );
    expect(log(['debugMode=1', 'appName=shop']).stderr).toMatch(/shop/);
    // As programs that set it to argv[0].
    const logs = join(directory, 'logs');
    mkdirSync(logs);
    log(['enableStats=1', 'appName=/usr/bin/./shop'], { GLOG_log_dir: logs });
    expect(readdirSync(logs)).toContain('shop.INFO');
  });

  it.each(['webserver.scap', 'webserver-2017.scap', 'live.scap'])(
    'gets every field of %s as the driver for Node has it',
    async (name) => {
      const path = join(fixtures, name);
      const lines = run(program('json'), [path]).stdout.trimEnd().split('\n');
      const wanted: unknown[] = [];
      const full = { fileOnly: false, fileReadMode: 0, enableProcessFlow: false } as const;
      const callback: SysFlowCallback = (header, container, process, file1, file2, record) => {
        if (record.type === 'NetworkFlow' && record.family === 6) return;
        wanted.push(asInC({ header, container, process, file1, file2, record }));
      };
      await new SysFlowDriver({ scapInputPath: path, ...full, callback }, {}).run();
      expect(lines.map((line) => JSON.parse(line))).toEqual(wanted);
      expect(wanted.length).toBeGreaterThan(50);
    },
  );
});

/** A value of Node as json.cpp prints it: numbers as text, enums by number, addresses as integers. */
function asInC(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => asInC(item));
  if (value === null) return null;
  if (typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => key !== 'type' && key !== 'family')
        .map(([key, item]) => [key === 'containerType' ? 'type' : key, asInC(item, key)]),
    );
  }
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (name === 'containerType') return `${containerTypes.indexOf(value as 'CT_DOCKER')}`;
  if (name === 'state') return `${['CREATED', 'MODIFIED', 'REUP'].indexOf(value as string)}`;
  if (name === 'restype') return `${(value as string).charCodeAt(0)}`;
  if (name === 'sip' || name === 'dip')
    return `${Buffer.from((value as string).split('.').map(Number)).readInt32LE()}`;
  return typeof value === 'string' ? value : String(value);
}

describe('errors', () => {
  const errors = (args: string[], env = {}) => run(program('errors'), args, env).stdout;

  it('a wrong filter: the constructor throws LibsError with the position', () => {
    expect(errors(['NO_DRIVER', '1', capture, 'proc.nam = a'])).toMatch(
      /^constructor: LibsError: filter, character 1: .*\n {2}proc\.nam = a\n/,
    );
  });

  it('a missing capture: run() throws LibsError', () => {
    const missing = join(directory, 'missing\x1b[1m.scap');
    const text = errors(['NO_DRIVER', '1', missing]);
    expect(text).toMatch(/^run: LibsError: .*no such file\n$/);
    expect(text).not.toContain('\x1b');
  });

  it('a damaged capture: the callback gets what is readable, then run() throws EventParsingError', () => {
    const path = join(directory, 'cut.scap');
    writeFileSync(path, readFileSync(capture).subarray(0, -100));
    expect(counted(path).code).toBe(sysFlowErrorCodes.indexOf('EventParsingError'));
    expect(counted(path).FileFlow).toBeGreaterThan(10);
  });

  it('a capture and a driver: LibsError', () => {
    expect(errors(['KMOD', '1', capture])).toMatch(/^constructor: LibsError: configuration: /);
  });

  it.each([
    ['rotateInterval=-1', 'rotateInterval', '0 to 1073741824'],
    ['fileReadMode=3', 'fileReadMode', '0 to 2'],
    ['collectionMode=3', 'collectionMode', '0 to 2'],
    ['samplingRatio=0', 'samplingRatio', '1 to 128'],
    ['criTO=-1', 'criTO', '0 to 3600'],
    ['singleBufferDimension=5000', 'singleBufferDimension', 'a multiple of 4096'],
    ['k8sAPIURL=ftp://a', 'k8sAPIURL', 'an http or https URL'],
    [`socketPath=${'s'.repeat(108)}`, 'socketPath', 'at most 107 bytes'],
  ])('%s: LibsError with the field and the permitted values', (setting, field, allowed) => {
    const { stdout, stderr } = run(program('count'), [capture, setting]);
    expect(JSON.parse(stdout).code).toBe(0);
    expect(stderr).toMatch(new RegExp(`^configuration: field '${field}' is .*; it must be`));
    expect(stderr).toContain(allowed);
  });

  it.each(['criTO=0', 'singleBufferDimension=0', 'rotateInterval=0'])(
    '%s is allowed',
    (setting) => {
      expect(counted(capture, [setting])).toEqual(counted(capture));
    },
  );

  it('EBPF with FALCO_BPF_PROBE: the code of what is wrong with the file', () => {
    const text = join(directory, 'probe.o');
    writeFileSync(text, 'not a probe');
    const code = (probe: string) =>
      errors(['EBPF', '1'], { FALCO_BPF_PROBE: probe }).split(': ').slice(0, 2).join(': ');
    expect(code(join(directory, 'none.o'))).toBe('constructor: ProbeNotExist');
    expect(code(join(text, 'below'))).toBe('constructor: ProbeCheckError');
    expect(code(`/${'n'.repeat(300)}`)).toBe('constructor: NameTooLong');
    expect(code(text)).toBe('constructor: DriverLibsMismatch');
  });

  it('have the numbers of the codes in Node', () => {
    const header = readFileSync(join(prefix, 'include/sysflow/sysflowexception.h'), 'utf8');
    const [, list] = /enum SysFlowError \{([^}]*)\}/.exec(header) ?? [];
    const names = [...(list ?? '').matchAll(/^ *(\w+),? *(?:\/\/|$)/gm)].map(([, name]) => name);
    expect(names).toEqual(sysFlowErrorCodes);
  });
});

describe.skipIf(noLive !== undefined)(liveTitle('the running kernel'), () => {
  it.each(['NO_DRIVER', 'CORE_EBPF', 'EBPF', 'KMOD'])('%s captures it until exit()', (driver) => {
    expect(run(program('errors'), [driver, '1']).stdout).toBe('run returned 0\n');
  });

  it('EBPF and KMOD warn that the probe of sfkit captures', () => {
    const { stderr } = run(program('errors'), ['KMOD', '1'], { GLOG_logtostderr: '1' });
    expect(stderr).toMatch(/driverType KMOD: sfkit captures with its own probe instead/);
  });

  it('SIGTERM ends it: the handler calls exit()', async () => {
    const child = spawn(program('signals'), [], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    await until(() => {
      spawnSync('/bin/true');
      return output.includes('first record');
    });
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(output).toMatch(/run returned 0 after \d+ records\n$/);
  });

  it('counts are those of the driver for Node', async () => {
    const [start, work, end] = ['start', 'work', 'end'].map((name) => {
      const path = join(directory, `sfkit-${name}`);
      cpSync('/bin/ls', path);
      return path;
    }) as [string, string, string];
    const falcoFilter = `proc.exe startswith ${directory}/sfkit-`;
    const arguments_ = ['live', 'only=sfkit-work', `falcoFilter=${falcoFilter}`];
    const child = spawn(program('count'), arguments_, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    const ended = new Promise((resolve) => child.on('close', resolve));

    const seen = new Set<string>();
    const counts: Counts = { code: -1, containers: 0, files: 0 };
    const driver = new SysFlowDriver(
      {
        falcoFilter,
        callback(_header, container, process, file1, file2, record) {
          seen.add(process?.exe ?? '');
          if (process?.exe === work) count(counts, record, [container, file1, file2]);
        },
      },
      {},
    );
    const running = driver.run();
    const bothSee = (path: string) =>
      until(() => {
        spawnSync(path, [directory]);
        return seen.has(path) && output.includes(`${path}\n`);
      });
    await bothSee(start);
    for (let i = 0; i < 5; i += 1) spawnSync(work, ['-l', directory]);
    await bothSee(end);
    child.kill('SIGTERM');
    driver.exit();
    await Promise.all([ended, running]);
    expect(JSON.parse(output.trimEnd().split('\n').at(-1) as string)).toEqual(counts);
    expect(counts.ProcessEvent).toBeGreaterThanOrEqual(10);
    expect(counts.files).toBeGreaterThan(0);
  });
});

describe('the installed tree', () => {
  const makefile = () => {
    const folder = join(directory, 'example');
    cpSync(join(prefix, 'share/doc/sfkit/examples/libsysflow'), folder, { recursive: true });
    return folder;
  };

  it.each([
    ['the defaults', []],
    ['STATIC=1', ['STATIC=1']],
    ['CXX and CFLAGS of the user', [`CXX=${clang ?? 'g++'}`, 'CFLAGS=-O0']],
  ])('the example builds and runs: make with %s', (_title, settings) => {
    const folder = makefile();
    succeed('make', ['-B', '-C', folder, `PREFIX=${prefix}`, ...settings]);
    const { status, stdout } = run(join(folder, 'records'), [capture]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/nginx in shop-web file flow \/var\/log\/nginx\/access\.log\n/);
    const linked = spawnSync('ldd', [join(folder, 'records')], { encoding: 'utf8' });
    if (settings[0] === 'STATIC=1') expect(linked.status).not.toBe(0);
    else expect(linked.stdout).toContain('libsysflow.so');
  });

  it.skipIf(!exists('pkg-config'))('pkg-config names headers and libraries', () => {
    const flags = spawnSync('pkg-config', ['--cflags', '--libs', 'libsysflow'], {
      encoding: 'utf8',
      env: { ...process.env, PKG_CONFIG_PATH: join(prefix, 'lib/pkgconfig') },
    }).stdout;
    const path = join(directory, 'by-pkg-config');
    const source = join(root, 'test/package/consumer/libsysflow/count.cpp');
    succeed('g++', ['-std=c++17', source, '-o', path, ...flags.trim().split(/\s+/)]);
    const env = { LD_LIBRARY_PATH: join(prefix, 'lib') };
    expect(JSON.parse(run(path, [capture], env).stdout)).toEqual(counted(capture));
  });

  it('the CMake package has a target for each kind of program', () => {
    const source = join(directory, 'cmake-project');
    cpSync(join(prefix, 'share/doc/sfkit/examples/cpp'), source, { recursive: true });
    cpSync(join(root, 'test/package/consumer/libsysflow/count.cpp'), join(source, 'count.cpp'));
    const list = join(source, 'CMakeLists.txt');
    writeFileSync(
      list,
      `${readFileSync(list, 'utf8')}
add_executable(count count.cpp)
target_link_libraries(count PRIVATE sfkit::sysflow)
set_target_properties(count PROPERTIES CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON)
`,
    );
    const build = join(source, 'build');
    succeed('cmake', ['-S', source, '-B', build, `-DCMAKE_PREFIX_PATH=${prefix}`]);
    succeed('cmake', ['--build', build]);
    expect(JSON.parse(run(join(build, 'count'), [capture]).stdout)).toEqual(counted(capture));
    expect(run(join(build, 'consumer'), [capture]).stdout).toContain('FileFlow /usr/sbin/nginx');
  });

  it('has the license', () => {
    expect(readFileSync(join(prefix, 'share/doc/sfkit/LICENSE'), 'utf8')).toBe(
      readFileSync(join(root, 'LICENSE'), 'utf8'),
    );
  });

  it('the shared library exports the names of libSysFlow and nothing else of its own', () => {
    const names = succeed('nm', ['-DC', '--defined-only', join(prefix, 'lib/libsysflow.so')]);
    const own = names.split('\n').filter((line) => / T /.test(line));
    expect(own.length).toBeGreaterThan(5);
    expect(own.filter((line) => !line.includes('sysflowlibscpp::'))).toEqual([]);
  });
});
