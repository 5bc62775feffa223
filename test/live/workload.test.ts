import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixtures, root } from '../helpers/corpus.js';
import { liveTitle, noLive, testProgram } from '../helpers/live.js';
import { type LiveEnd, startLive } from '../helpers/live-run.js';
import { readSf } from '../helpers/sf.js';

// A program performs actions and reports them; the records of sfkit live must match, one by one.

interface Action {
  did: string;
  pid: number;
  path?: string;
  newpath?: string;
  child?: number;
  code?: number;
  exe?: string;
  args?: string;
  wbytes?: number;
  rbytes?: number;
  wops?: number;
  rops?: number;
  proto?: number;
  sip?: string;
  sport?: number;
  dip?: string;
  dport?: number;
  uid?: number;
  count?: number;
  fields?: Record<string, unknown>;
  cwd?: string;
  gid?: number;
  container?: string;
  newbytes?: number;
  type?: string;
}

type Row = Record<string, unknown> & { type: string; opflags: string[] };

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-live-'));
});
afterAll(() => rmSync(directory, { recursive: true }));
let actions: Action[];
let rows: Row[];
let recording: string;
let end: LiveEnd;
let dump:
  | { errors: unknown[]; param_counts: object; odd: object; unknown_events: object }
  | undefined;

const jsonLines = (path: string) =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

async function capture(name: string, args: string[]): Promise<void> {
  const place = join(directory, name);
  mkdirSync(join(place, 'work'), { recursive: true });
  recording = join(place, 'x.scap');
  const live = startLive(['live', '-o', join(place, 'a.jsonl'), '--write', recording, ...args]);
  await live.capturing;
  const { stdout } = await promisify(execFile)(testProgram('sfkit_workload'), [
    join(place, 'work'),
  ]);
  end = await live.end('SIGINT');
  actions = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  rows = readFileSync(join(place, 'a.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const of = (pid: number, type: string) =>
  rows.filter((row) => row.type === type && row.proc_pid === pid);
const sum = (found: Row[], column: string) =>
  found.reduce((total, row) => total + Number(row[column] ?? 0), 0);

/** The records of one action, so that a difference names it. */
function recorded(action: Action): unknown {
  const { did, pid } = action;
  switch (did) {
    case 'file': {
      const flows = of(pid, 'FF').filter(
        (row) => row.file_path === action.path && row.opflags.includes('OPEN'),
      );
      const [wbytes, wops, rbytes, rops] = [
        'flow_wbytes',
        'flow_wops',
        'flow_rbytes',
        'flow_rops',
      ].map((name) => sum(flows, name));
      return {
        flows: flows.length,
        closed: flows.some((row) => row.opflags.includes('CLOSE')),
        wbytes,
        wops,
        rbytes,
        rops,
      };
    }
    case 'moved':
      return [action.path, action.newpath].map((path) => {
        const flows = of(pid, 'FF').filter((row) => row.file_path === path);
        return [sum(flows, 'flow_wbytes'), flows.some((row) => row.opflags.includes('CLOSE'))];
      });
    case 'network': {
      const flows = of(pid, 'NF').filter(
        (row) =>
          row.net_sip === action.sip &&
          row.net_sport === action.sport &&
          row.net_dip === action.dip &&
          row.net_dport === action.dport &&
          row.net_proto === action.proto,
      );
      return {
        some: flows.length > 0,
        wbytes: sum(flows, 'flow_wbytes'),
        rbytes: sum(flows, 'flow_rbytes'),
      };
    }
    case 'bytes': {
      const flows = of(pid, 'FF').filter((row) => row.file_path === action.path);
      const closes = flows.filter((row) => row.opflags.includes('CLOSE')).length;
      return { wbytes: sum(flows, 'flow_wbytes'), closes };
    }
    case 'refused': {
      const flows = of(pid, 'NF').filter((row) => row.net_dport === action.dport);
      return { attempts: flows.map((row) => row.opflags[0]), wbytes: sum(flows, 'flow_wbytes') };
    }
    case 'unix': {
      const flows = of(pid, 'FF').filter((row) =>
        String(row.file_path).endsWith(` ${action.path}`),
      );
      return {
        some: flows.length > 0,
        wbytes: sum(flows, 'flow_wbytes'),
        rbytes: sum(flows, 'flow_rbytes'),
      };
    }
    case 'RENAME':
    case 'LINK':
    case 'SYMLINK':
    case 'MKDIR':
    case 'RMDIR':
    case 'UNLINK':
      return of(pid, 'FE')
        .filter((row) => row.opflags.includes(did) && row.file_path === action.path)
        .map((row) => [row.ret, row.file_newpath ?? undefined]);
    case 'fork':
      return {
        caller: of(pid, 'PE').filter(
          (row) => row.opflags.includes('CLONE') && row.ret === action.child,
        ).length,
        child: of(action.child as number, 'PE').filter(
          (row) => row.opflags.includes('CLONE') && row.ret === 0,
        ).length,
        parent: of(action.child as number, 'PE')[0]?.pproc_pid,
        exits: exits(action.child as number),
      };
    case 'exec':
      return of(pid, 'PE').filter(
        (row) =>
          row.opflags.includes('EXEC') &&
          row.proc_exe === action.exe &&
          row.proc_args === action.args &&
          row.ret === 0,
      ).length;
    case 'exit':
      return exits(pid);
    case 'threads': {
      const flows = of(pid, 'PF');
      return [sum(flows, 'pf_nthreads'), sum(flows, 'pf_nexits')];
    }
    case 'SETUID':
      return of(pid, 'PE')
        .filter((row) => row.opflags.includes(did))
        .map((row) => row.ret);
    case 'SETNS':
      return of(pid, 'FF').filter((row) => row.opflags.includes(did)).length;
    case 'entry':
      return of(pid, 'PE').some((row) => row.proc_entry);
    case 'cwd':
      return at(action).map((row) => row.proc_cwd);
    case 'type':
      return of(pid, 'FF')
        .filter((row) => row.file_path === action.path)
        .map((row) => row.file_type);
    case 'group':
      return at(action).map((row) => row.proc_gid);
    case 'container':
      return at(action).map((row) => row.container_id);
    case 'state':
      return fieldsAt(action);
    default:
      throw new Error(`the test does not know ${did}`);
  }
}

/** The file event of the action's process with its path. */
const at = ({ pid, path }: Action) => of(pid, 'FE').filter((row) => row.file_path === path);

/** The action's fields at the event with its path. */
function fieldsAt({ pid, path, fields = {} }: Action): unknown {
  const shape = Object.keys(fields)
    .map((field) => `%${field}`)
    .join(' ');
  const filter = `proc.pid = ${pid} and evt.arg.path = "${path}"`;
  const args = [
    join(root, 'bin/run.js'),
    'events',
    recording,
    '--json',
    '-p',
    shape,
    '--filter',
    filter,
  ];
  const text = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: 'pipe' }).trim();
  return text.split('\n').map((line) => JSON.parse(line));
}

/** Exit codes in the form of wait(). */
function exits(pid: number): number[] {
  return of(pid, 'PE')
    .filter((row) => row.opflags.includes('EXIT'))
    .map((row) => Number(row.ret) >> 8);
}

function wanted(action: Action): unknown {
  const { wbytes, wops, rbytes, rops } = action;
  switch (action.did) {
    case 'file':
      return { flows: 1, closed: true, wbytes, wops, rbytes, rops };
    case 'moved':
      return [
        [wbytes, true],
        [action.newbytes, true],
      ];
    case 'network':
    case 'unix':
      return { some: true, wbytes, rbytes };
    case 'bytes':
      return { wbytes, closes: action.code };
    case 'refused':
      return { attempts: ['CONNECT'], wbytes: 0 };
    case 'RENAME':
    case 'LINK':
    case 'SYMLINK':
    case 'MKDIR':
    case 'RMDIR':
    case 'UNLINK':
      return [[0, action.newpath]];
    case 'fork':
      return { caller: 1, child: 1, parent: action.pid, exits: [action.code] };
    case 'exec':
      return actions.filter(
        (other) => other.did === 'exec' && other.pid === action.pid && other.args === action.args,
      ).length;
    case 'exit':
      return [action.code];
    case 'threads':
      return [action.count, action.count];
    case 'SETUID':
      return [0];
    case 'entry':
      return true;
    case 'cwd':
      return [action.cwd];
    case 'type':
      return [action.type];
    case 'group':
      return [action.gid];
    case 'container':
      return [action.container];
    case 'state':
      return [action.fields];
    default:
      return 1;
  }
}

const all = ['--no-file-only', '--file-read-mode', 'all'];

describe('a recording of a program (fixtures/live.scap)', () => {
  it('gives the expected records one by one', () => {
    const output = join(directory, 'fixture.jsonl');
    const input = join(fixtures, 'live.scap');
    execFileSync(
      process.execPath,
      [join(root, 'bin/run.js'), 'convert', input, '-o', output, ...all],
      {
        stdio: 'pipe',
      },
    );
    actions = jsonLines(join(fixtures, 'live.jsonl'));
    rows = jsonLines(output);
    expect(actions.length).toBeGreaterThan(30);
    expect(actions.map((action) => [action, recorded(action)])).toEqual(
      actions.map((action) => [action, wanted(action)]),
    );
  });
});

describe.skipIf(noLive !== undefined)(liveTitle('sfkit live records a program'), () => {
  describe.each([
    ['programs on BTF tracepoints', []],
    ['one buffer for all processors', ['--cpus-per-buffer', '0']],
    ['all system calls and data', ['--all-syscalls', '--snaplen', '80']],
  ])('with %s', (name, args) => {
    beforeAll(() => capture(name.replaceAll(' ', '-'), [...all, ...args]));

    it('gives the expected records one by one', () => {
      expect(end).toMatchObject({ exit: 0 });
      expect(actions.length).toBeGreaterThan(30);
      expect(actions.map((action) => [action, recorded(action)])).toEqual(
        actions.map((action) => [action, wanted(action)]),
      );
    });

    it('loses nothing', () => {
      expect(end.stderr).toContain('lost: nothing');
    });

    it('writes a capture that gives the same records', async () => {
      const place = join(directory, name.replaceAll(' ', '-'));
      const [recording, again] = ['x.scap', 'b.jsonl'].map((file) => join(place, file)) as [
        string,
        string,
      ];
      execFileSync(
        process.execPath,
        [join(root, 'bin/run.js'), 'convert', recording, '-o', again, ...all],
        {
          stdio: 'pipe',
        },
      );
      // One column has the name of the input.
      const withoutName = (path: string) =>
        readFileSync(path, 'utf8').replaceAll('"filename":"x.scap"', '"filename":"live"');
      expect(withoutName(again) === withoutName(join(place, 'a.jsonl'))).toBe(true);
    });

    it('writes events in current shapes', () => {
      const checker = join(root, '../shared/tools/scap_dump.py');
      if (!existsSync(checker)) return console.log(`skipped: ${checker} is not here`);
      const recording = join(join(directory, name.replaceAll(' ', '-')), 'x.scap');
      const [line = ''] = execFileSync('python3', [checker, '--check', recording], {
        encoding: 'utf8',
      })
        .trim()
        .split('\n');
      dump = JSON.parse(line).summary;
      expect(dump).toMatchObject({ errors: [], param_counts: {}, odd: {}, unknown_events: {} });
    });
  });

  it('writes the same SysFlow file as convert from the capture', async () => {
    const place = join(directory, 'sf');
    mkdirSync(join(place, 'work'), { recursive: true });
    const [a, b, x] = ['a.sf', 'b.sf', 'x.scap.gz'].map((file) => join(place, file)) as [
      string,
      string,
      string,
    ];
    const live = startLive(['live', '-o', a, '--write', x]);
    await live.capturing;
    await promisify(execFile)(testProgram('sfkit_workload'), [join(place, 'work')]);
    expect(await live.end('SIGTERM')).toMatchObject({ exit: 0 });
    execFileSync(process.execPath, [join(root, 'bin/run.js'), 'convert', x, '-o', b], {
      stdio: 'pipe',
    });
    const [left, right] = [await readSf(a), await readSf(b)];
    expect(left.length).toBeGreaterThan(100);
    expect(right.slice(1)).toEqual(left.slice(1));
  });
});
