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

// A program does something and says what; the records of sfkit live must say the same, one by one.

interface Deed {
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
let deeds: Deed[];
let rows: Row[];
let recording: string;
let end: LiveEnd;
let dump: { errors: unknown[]; param_counts: object; odd: object; unknown_events: object } | undefined;

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
  const { stdout } = await promisify(execFile)(testProgram('sfkit_workload'), [join(place, 'work')]);
  end = await live.end('SIGINT');
  deeds = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  rows = readFileSync(join(place, 'a.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const of = (pid: number, type: string) => rows.filter((row) => row.type === type && row.proc_pid === pid);
const sum = (found: Row[], column: string) => found.reduce((total, row) => total + Number(row[column] ?? 0), 0);

/** The records of one deed, so that a difference shows which. */
function told(deed: Deed): unknown {
  const { did, pid } = deed;
  switch (did) {
    case 'file': {
      const flows = of(pid, 'FF').filter((row) => row.file_path === deed.path && row.opflags.includes('OPEN'));
      const [wbytes, wops, rbytes, rops] = ['flow_wbytes', 'flow_wops', 'flow_rbytes', 'flow_rops'].map((name) =>
        sum(flows, name),
      );
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
      return [deed.path, deed.newpath].map((path) => {
        const flows = of(pid, 'FF').filter((row) => row.file_path === path);
        return [sum(flows, 'flow_wbytes'), flows.some((row) => row.opflags.includes('CLOSE'))];
      });
    case 'network': {
      const flows = of(pid, 'NF').filter(
        (row) =>
          row.net_sip === deed.sip &&
          row.net_sport === deed.sport &&
          row.net_dip === deed.dip &&
          row.net_dport === deed.dport &&
          row.net_proto === deed.proto,
      );
      return { some: flows.length > 0, wbytes: sum(flows, 'flow_wbytes'), rbytes: sum(flows, 'flow_rbytes') };
    }
    case 'bytes': {
      const flows = of(pid, 'FF').filter((row) => row.file_path === deed.path);
      const closes = flows.filter((row) => row.opflags.includes('CLOSE')).length;
      return { wbytes: sum(flows, 'flow_wbytes'), closes };
    }
    case 'refused': {
      const flows = of(pid, 'NF').filter((row) => row.net_dport === deed.dport);
      return { attempts: flows.map((row) => row.opflags[0]), wbytes: sum(flows, 'flow_wbytes') };
    }
    case 'unix': {
      const flows = of(pid, 'FF').filter((row) => String(row.file_path).endsWith(` ${deed.path}`));
      return { some: flows.length > 0, wbytes: sum(flows, 'flow_wbytes'), rbytes: sum(flows, 'flow_rbytes') };
    }
    case 'RENAME':
    case 'LINK':
    case 'SYMLINK':
    case 'MKDIR':
    case 'RMDIR':
    case 'UNLINK':
      return of(pid, 'FE')
        .filter((row) => row.opflags.includes(did) && row.file_path === deed.path)
        .map((row) => [row.ret, row.file_newpath ?? undefined]);
    case 'fork':
      return {
        caller: of(pid, 'PE').filter((row) => row.opflags.includes('CLONE') && row.ret === deed.child).length,
        child: of(deed.child as number, 'PE').filter((row) => row.opflags.includes('CLONE') && row.ret === 0).length,
        parent: of(deed.child as number, 'PE')[0]?.pproc_pid,
        exits: exits(deed.child as number),
      };
    case 'exec':
      return of(pid, 'PE').filter(
        (row) =>
          row.opflags.includes('EXEC') && row.proc_exe === deed.exe && row.proc_args === deed.args && row.ret === 0,
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
      return at(deed).map((row) => row.proc_cwd);
    case 'type':
      return of(pid, 'FF')
        .filter((row) => row.file_path === deed.path)
        .map((row) => row.file_type);
    case 'group':
      return at(deed).map((row) => row.proc_gid);
    case 'container':
      return at(deed).map((row) => row.container_id);
    case 'state':
      return fieldsAt(deed);
    default:
      throw new Error(`the test does not know ${did}`);
  }
}

/** The file event of the deed's process that names its path. */
const at = ({ pid, path }: Deed) => of(pid, 'FE').filter((row) => row.file_path === path);

/** The deed's fields at the event that names its path. */
function fieldsAt({ pid, path, fields = {} }: Deed): unknown {
  const shape = Object.keys(fields)
    .map((field) => `%${field}`)
    .join(' ');
  const filter = `proc.pid = ${pid} and evt.arg.path = "${path}"`;
  const args = [join(root, 'bin/run.js'), 'events', recording, '--json', '-p', shape, '--filter', filter];
  const text = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: 'pipe' }).trim();
  return text.split('\n').map((line) => JSON.parse(line));
}

/** Exit codes, as wait() has them. */
function exits(pid: number): number[] {
  return of(pid, 'PE')
    .filter((row) => row.opflags.includes('EXIT'))
    .map((row) => Number(row.ret) >> 8);
}

function wanted(deed: Deed): unknown {
  const { wbytes, wops, rbytes, rops } = deed;
  switch (deed.did) {
    case 'file':
      return { flows: 1, closed: true, wbytes, wops, rbytes, rops };
    case 'moved':
      return [
        [wbytes, true],
        [deed.newbytes, true],
      ];
    case 'network':
    case 'unix':
      return { some: true, wbytes, rbytes };
    case 'bytes':
      return { wbytes, closes: deed.code };
    case 'refused':
      return { attempts: ['CONNECT'], wbytes: 0 };
    case 'RENAME':
    case 'LINK':
    case 'SYMLINK':
    case 'MKDIR':
    case 'RMDIR':
    case 'UNLINK':
      return [[0, deed.newpath]];
    case 'fork':
      return { caller: 1, child: 1, parent: deed.pid, exits: [deed.code] };
    case 'exec':
      return deeds.filter((other) => other.did === 'exec' && other.pid === deed.pid && other.args === deed.args).length;
    case 'exit':
      return [deed.code];
    case 'threads':
      return [deed.count, deed.count];
    case 'SETUID':
      return [0];
    case 'entry':
      return true;
    case 'cwd':
      return [deed.cwd];
    case 'type':
      return [deed.type];
    case 'group':
      return [deed.gid];
    case 'container':
      return [deed.container];
    case 'state':
      return [deed.fields];
    default:
      return 1;
  }
}

const all = ['--no-file-only', '--file-read-mode', 'all'];

describe('a recording of what a program did (fixtures/live.scap)', () => {
  it('tells it one record after the other', () => {
    const output = join(directory, 'fixture.jsonl');
    const input = join(fixtures, 'live.scap');
    execFileSync(process.execPath, [join(root, 'bin/run.js'), 'convert', input, '-o', output, ...all], {
      stdio: 'pipe',
    });
    deeds = jsonLines(join(fixtures, 'live.jsonl'));
    rows = jsonLines(output);
    expect(deeds.length).toBeGreaterThan(30);
    expect(deeds.map((deed) => [deed, told(deed)])).toEqual(deeds.map((deed) => [deed, wanted(deed)]));
  });
});

describe.skipIf(noLive !== undefined)(liveTitle('sfkit live tells what a program did'), () => {
  describe.each([
    ['programs on BTF tracepoints', []],
    ['one buffer for all processors', ['--cpus-per-buffer', '0']],
    ['all system calls and data', ['--all-syscalls', '--snaplen', '80']],
  ])('with %s', (name, args) => {
    beforeAll(() => capture(name.replaceAll(' ', '-'), [...all, ...args]));

    it('one record after the other', () => {
      expect(end).toMatchObject({ exit: 0 });
      expect(deeds.length).toBeGreaterThan(30);
      expect(deeds.map((deed) => [deed, told(deed)])).toEqual(deeds.map((deed) => [deed, wanted(deed)]));
    });

    it('and loses nothing', () => {
      expect(end.stderr).toContain('lost: nothing');
    });

    it('into a capture that gives the same records', async () => {
      const place = join(directory, name.replaceAll(' ', '-'));
      const [recording, again] = ['x.scap', 'b.jsonl'].map((file) => join(place, file)) as [string, string];
      execFileSync(process.execPath, [join(root, 'bin/run.js'), 'convert', recording, '-o', again, ...all], {
        stdio: 'pipe',
      });
      // The name of the input is a column.
      const withoutName = (path: string) =>
        readFileSync(path, 'utf8').replaceAll('"filename":"x.scap"', '"filename":"live"');
      expect(withoutName(again) === withoutName(join(place, 'a.jsonl'))).toBe(true);
    });

    it('and whose events have current shapes', () => {
      const checker = join(root, '../shared/tools/scap_dump.py');
      if (!existsSync(checker)) return console.log(`skipped: ${checker} is not here`);
      const recording = join(join(directory, name.replaceAll(' ', '-')), 'x.scap');
      const [line = ''] = execFileSync('python3', [checker, '--check', recording], { encoding: 'utf8' })
        .trim()
        .split('\n');
      dump = JSON.parse(line).summary;
      expect(dump).toMatchObject({ errors: [], param_counts: {}, odd: {}, unknown_events: {} });
    });
  });

  it('records the same in a SysFlow file as convert makes of the capture', async () => {
    const place = join(directory, 'sf');
    mkdirSync(join(place, 'work'), { recursive: true });
    const [a, b, x] = ['a.sf', 'b.sf', 'x.scap.gz'].map((file) => join(place, file)) as [string, string, string];
    const live = startLive(['live', '-o', a, '--write', x]);
    await live.capturing;
    await promisify(execFile)(testProgram('sfkit_workload'), [join(place, 'work')]);
    expect(await live.end('SIGTERM')).toMatchObject({ exit: 0 });
    execFileSync(process.execPath, [join(root, 'bin/run.js'), 'convert', x, '-o', b], { stdio: 'pipe' });
    const [left, right] = [await readSf(a), await readSf(b)];
    expect(left.length).toBeGreaterThan(100);
    expect(right.slice(1)).toEqual(left.slice(1));
  });
});
