import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SysFlowDriver } from '../../src/driver/driver.js';
import { loadAddon } from '../../src/engine/addon.js';
import { liveConfig } from '../../src/engine/config.js';
import { root } from '../helpers/corpus.js';
import { startCri } from '../helpers/cri-stub.js';
import { sysflowType, unwrap } from '../helpers/datums.js';
import { testDirectory } from '../helpers/directory.js';
import { liveTitle, noLive, testProgram } from '../helpers/live.js';
import { startLive } from '../helpers/live-run.js';
import { readSf } from '../helpers/sf.js';

const directory = testDirectory();
const sfkit = (...args: string[]) =>
  spawnSync(process.execPath, [join(root, 'bin/run.js'), ...args], { encoding: 'utf8' });
const jsonLines = (path: string) =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until it is so, looking again and again. */
async function until(isSo: () => boolean): Promise<void> {
  for (const started = Date.now(); !isSo(); await sleep(50)) {
    if (Date.now() - started > 30_000) throw new Error('what was waited for did not happen');
  }
}

/** Something that makes records. */
function work(): void {
  execFileSync('/bin/sh', ['-c', `echo something > ${directory.path('made')}; cat ${directory.path('made')}`]);
}

describe.skipIf(noLive !== undefined)(liveTitle('the probe'), () => {
  const { recordPath, recordGzip, dropsPrivileges, maxEvents, ...options } = liveConfig({});
  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])('loads every program (all system calls: %s, raw tracepoints: %s)', (allSyscalls, rawTracepoints) => {
    const what = loadAddon().tryProbe({ ...options, allSyscalls, rawTracepoints });
    expect(what).toMatch(rawTracepoints ? /programs on raw tracepoints$/ : /programs on BTF tracepoints$/);
    expect(Number.parseInt(what, 10)).toBeGreaterThan(allSyscalls ? 135 : 110);
  });

  it('tells every call of several processes once and in its order, however it is loaded', () => {
    const trial = spawnSync(testProgram('sfkit_probe_trial'), ['100000'], { encoding: 'utf8' });
    expect(trial.stdout).toMatch(/^ok {4}default/m);
    expect([trial.status, trial.stdout]).toEqual([0, expect.stringContaining('all is well')]);
  });
});

describe.skipIf(noLive !== undefined)(liveTitle('a live capture'), () => {
  it('begins a new file and new tables at each rotation, each complete in itself', async () => {
    const avro = startLive(['live', '-o', directory.path('r.sf'), '--rotate', '1']);
    const tables = startLive(['live', '-o', directory.path('tables/'), '-f', 'jsonl', '--rotate', '1']);
    await Promise.all([avro.capturing, tables.capturing]);
    for (let i = 0; i < 6; i++) {
      work();
      await sleep(500);
    }
    const ends = await Promise.all([avro.end('SIGINT'), tables.end('SIGTERM')]);
    expect(ends.map(({ exit, stderr }) => [exit, stderr.includes('lost: nothing')])).toEqual([
      [0, true],
      [0, true],
    ]);
    const files = readdirSync(directory.path()).filter((name) => /^r\.sf\.\d+$/.test(name));
    expect(files.length).toBeGreaterThan(1);
    for (const name of files) {
      const records = await readSf(directory.path(name));
      expect(records[0]?.type).toBe('SFHeader');
    }
    const places = readdirSync(directory.path('tables'));
    expect(places.length).toBeGreaterThan(1);
    for (const place of places) {
      expect(place).toMatch(/^\d{8}T\d{6}Z$/);
      expect(readdirSync(directory.path('tables', place))).toContain('process_event.jsonl');
    }
    expect(readdirSync(directory.path()).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('that is killed leaves what was written so far to be read', async () => {
    const [sf, recording] = [directory.path('k.sf'), directory.path('k.scap.gz')];
    const live = startLive(['live', '-o', sf, '--write', recording]);
    await live.capturing;
    // Both files are there, and more than their beginnings is in them.
    const sizes = () => [`${sf}.part`, `${recording}.part`].map((path) => (existsSync(path) ? statSync(path).size : 0));
    const flushed = async () => {
      work();
      const before = sizes();
      await until(() => sizes().every((size, i) => size > (before[i] as number)));
    };
    await flushed();
    await flushed();
    await sleep(1500);
    expect(await live.end('SIGKILL')).toMatchObject({ signal: 'SIGKILL' });
    expect([existsSync(sf), existsSync(recording)]).toEqual([false, false]);
    expect((await readSf(`${sf}.part`)).some(({ type }) => type === 'ProcessEvent')).toBe(true);
    const converted = sfkit(
      'convert',
      `${recording}.part`,
      '--filter',
      'proc.name in (sh, cat)',
      '-f',
      'jsonl',
      '-o',
      directory.path('k.jsonl'),
    );
    expect([0, 3]).toContain(converted.status);
    expect(jsonLines(directory.path('k.jsonl')).some((row) => row.file_path === directory.path('made'))).toBe(true);
    // The next run takes another name and leaves it alone.
    const next = startLive(['live', '-o', sf, '--duration', '1']);
    expect(await next.ended).toMatchObject({ exit: 0 });
    expect([existsSync(sf), existsSync(`${sf}.part`)]).toEqual([true, true]);
  });

  it('gives up its rights, in all threads', async () => {
    const live = startLive(['live', '-o', directory.path('p.jsonl')]);
    await live.capturing;
    const held = () =>
      readdirSync(`/proc/${live.pid}/task`).map((tid) => {
        const status = readFileSync(`/proc/${live.pid}/task/${tid}/status`, 'utf8');
        return [/CapEff:\s*(\w+)/.exec(status)?.[1], /NoNewPrivs:\s*(\d)/.exec(status)?.[1]].join(' ');
      });
    await until(() => held().every((rights) => rights === '0000000000000002 1'));
    expect(held().length).toBeGreaterThan(4);
    work();
    expect(await live.end('SIGINT')).toMatchObject({ exit: 0 });
    expect(jsonLines(directory.path('p.jsonl')).some((row) => row.file_path === directory.path('made'))).toBe(true);
  });

  it('works for a user with four capabilities', async () => {
    const place = directory.path('user');
    mkdirSync(place, { mode: 0o777 });
    execFileSync('chmod', ['777', directory.path(), place]);
    const caps = '+bpf,+perfmon,+sys_ptrace,+dac_read_search';
    const command = [
      'setpriv',
      '--reuid=1234',
      '--regid=1234',
      '--clear-groups',
      `--inh-caps=${caps}`,
      `--ambient-caps=${caps}`,
    ];
    const live = startLive(['live', '-o', join(place, 'u.jsonl')], ['env', `HOME=${place}`, ...command]);
    await live.capturing;
    work();
    expect(await live.end('SIGINT')).toMatchObject({ exit: 0 });
    expect(jsonLines(join(place, 'u.jsonl')).some((row) => row.file_path === directory.path('made'))).toBe(true);
  });

  it('refuses who has no rights, with what to do and without output', () => {
    const place = directory.path('none');
    mkdirSync(place);
    execFileSync('chmod', ['777', directory.path(), place]);
    const run = spawnSync(
      'setpriv',
      [
        '--reuid=1234',
        '--regid=1234',
        '--clear-groups',
        'env',
        `HOME=${place}`,
        process.execPath,
        join(root, 'bin/run.js'),
        'live',
        '-o',
        join(place, 'x.sf'),
      ],
      { encoding: 'utf8' },
    );
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('live capture needs root, or CAP_BPF and CAP_PERFMON');
    expect(readdirSync(place).filter((name) => name.startsWith('x.sf'))).toEqual([]);
  });

  it('needs few file descriptors', async () => {
    const run = startLive(
      ['live', '-o', directory.path('few.jsonl'), '--duration', '0.5', '--all-syscalls'],
      ['prlimit', '--nofile=64:64'],
    );
    expect(await run.ended).toMatchObject({ exit: 0 });
  });

  it('names the file that keeps what was written before the disk was full', () => {
    const place = directory.path('full');
    mkdirSync(place);
    const script = `mount -t tmpfs -o size=64k none ${place} && cd ${place} && "$@"; echo $? && ls && stat -c %s *`;
    const busy = spawn('/bin/sh', ['-c', 'while :; do /bin/true; done'], { stdio: 'ignore' });
    const run = spawnSync(
      'unshare',
      ['--mount', 'sh', '-c', script, '-', process.execPath, join(root, 'bin/run.js'), 'live', '-o', 'x.jsonl'],
      { encoding: 'utf8' },
    );
    busy.kill();
    expect(run.stdout).toBe('1\nx.jsonl.part\n65536\n');
    expect(run.stderr).toMatch(/\nsfkit: cannot write x\.jsonl\.part: no space left on the device\n$/);
  });

  it('refuses where /proc is not mounted, as nothing would be known of what runs', () => {
    const script = 'mount -t tmpfs none /proc && exec "$@"';
    const run = spawnSync(
      'unshare',
      ['--mount', 'sh', '-c', script, '-', process.execPath, join(root, 'bin/run.js'), 'live', '-o', 'x.sf'],
      { encoding: 'utf8', cwd: directory.path() },
    );
    expect(run).toMatchObject({ status: 1, stderr: expect.stringContaining('/proc is not mounted; mount it') });
    expect(existsSync(directory.path('x.sf'))).toBe(false);
  });

  it.each([1, 100])(
    'ends after as many events as were asked for (%i), with a capture of exactly those',
    async (most) => {
      const recording = directory.path('m.scap');
      const live = startLive(['record', '-o', recording, '--max-events', `${most}`, '--json']);
      const busy = setInterval(work, 50);
      const end = await live.ended;
      clearInterval(busy);
      expect(end).toMatchObject({ exit: 0 });
      expect(JSON.parse(end.stdout)).toMatchObject({
        events: most,
        outputs: [{ output: recording, format: 'capture' }],
      });
      // Heartbeats and what follows the state are events of the file as well.
      const info = JSON.parse(sfkit('info', recording, '--json').stdout);
      expect(info[0].events).toBeGreaterThanOrEqual(most);
      expect(statSync(recording).mode & 0o777).toBe(0o600);
    },
  );

  it('that cannot record what it should writes its records all the same, and says so', async () => {
    const live = startLive(['live', '-o', directory.path('f.jsonl'), '--write', '/dev/full']);
    const end = await live.ended;
    expect(end.exit).toBe(1);
    expect(end.stderr).toContain('/dev/full: cannot be written: No space left on device');
    expect(end.stderr).toMatch(/ events in .* -> .*f\.jsonl \(jsonl\)$/m);
    expect(existsSync(directory.path('f.jsonl'))).toBe(true);
    expect(statSync('/dev/full').isCharacterDevice()).toBe(true);
  });

  it('whose recording goes to a pipe that nobody reads ends in its time, and says so', async () => {
    const pipe = directory.path('pipe');
    execFileSync('mkfifo', [pipe]);
    // Opened by both sides, read by none.
    const holder = spawn('/bin/sh', ['-c', `exec 3<> ${pipe}; echo open; exec sleep 100`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    const live = startLive(['live', '-o', directory.path('n.jsonl'), '--write', pipe]);
    await live.capturing;
    execFileSync('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=1', 'count=20000'], { stdio: 'ignore' });
    const end = await live.end('SIGINT');
    holder.kill();
    expect(end.exit).toBe(1);
    expect(end.stderr).toContain(`${pipe}: cannot be written: nobody reads it`);
    expect(existsSync(directory.path('n.jsonl'))).toBe(true);
  });

  it('ends though nobody reads its pipe, some seconds later, and keeps its recording', async () => {
    const pipe = directory.path('unread');
    execFileSync('mkfifo', [pipe]);
    const ways = [
      ['-f', 'jsonl', '--max-events', '1'],
      ['-f', 'parquet', '--duration', '0.2'],
      ['-f', 'avro', '--duration', '0.2'],
    ];
    const unopened = ways.map((way, i) => {
      const recording = directory.path(`${i}.scap`);
      return { recording, live: startLive(['live', '-o', pipe, ...way, '--write', recording]) };
    });
    const recording = directory.path('unread.scap');
    const args = [join(root, 'bin/run.js'), 'live', '--all-syscalls', '--no-file-only', '--file-read-mode', 'all'];
    const unread = spawn(process.execPath, [...args, '--write', recording], { stdio: ['ignore', 'pipe', 'pipe'] });
    let told = '';
    unread.stderr.setEncoding('utf8').on('data', (text) => (told += text));
    const exit = new Promise((resolve) => unread.on('exit', resolve));
    const busy = setInterval(work, 20);
    // Their records are more than any pipe takes.
    await until(() => existsSync(`${recording}.part`) && statSync(`${recording}.part`).size > 4_000_000);
    clearInterval(busy);
    unread.kill('SIGTERM');
    expect(await exit).toBe(1);
    expect(told).toMatch(/cannot write standard output: nobody reads it; what was left is lost\n$/);
    expect(told).toContain(`${recording} (capture)`);
    for (const { live, recording } of unopened) {
      const end = await live.ended;
      expect(end).toMatchObject({ exit: 1, stderr: expect.stringContaining(`${pipe}: nobody reads it`) });
      expect(end.stderr).toContain(`${recording} (capture)`);
      expect(sfkit('info', recording).status).toBe(0);
    }
  });

  it('has its recording whole where the reader of its records had enough', () => {
    const script = '"$@" | head -n 1';
    const args = [
      process.execPath,
      join(root, 'bin/run.js'),
      'live',
      '--duration',
      '20',
      '-w',
      directory.path('h.scap'),
    ];
    const busy = spawn('/bin/sh', ['-c', 'while :; do cat /etc/passwd; done'], { stdio: 'ignore' });
    const run = spawnSync('sh', ['-c', script, '-', ...args], { encoding: 'utf8', cwd: directory.path() });
    busy.kill();
    expect(run.stdout).toMatch(/^\{.*\}\n$/);
    expect(run.stderr).toContain('h.scap (capture)');
    expect(sfkit('info', directory.path('h.scap')).status).toBe(0);
  });

  it('replaces no rotation of another run, and follows no link under the name of what is under way', async () => {
    const place = directory.path('rotated');
    const runs = [1, 2].map(() =>
      startLive(['live', '-o', `${place}/`, '-f', 'csv', '--rotate', '60', '--duration', '1']),
    );
    for (const run of runs) expect(await run.ended).toMatchObject({ exit: 0 });
    expect(readdirSync(place)).toHaveLength(2);
    symlinkSync(directory.path('elsewhere'), directory.path('l.sf.part'));
    expect(await startLive(['live', '-o', directory.path('l.sf'), '--duration', '0.2']).ended).toMatchObject({
      exit: 0,
    });
    expect(existsSync(directory.path('elsewhere'))).toBe(false);
    expect(lstatSync(directory.path('l.sf')).isFile()).toBe(true);
  });

  it('leaves records that can be read where it was killed, for their owner alone', async () => {
    const place = directory.path('killed');
    const live = startLive(['live', '-o', `${place}/`, '-f', 'arrow', '--file-read-mode', 'all']);
    await live.capturing;
    const busy = setInterval(work, 20);
    await until(
      () => existsSync(`${place}.part/file_flow.arrow`) && statSync(`${place}.part/file_flow.arrow`).size > 9000,
    );
    clearInterval(busy);
    expect(await live.end('SIGKILL')).toMatchObject({ signal: 'SIGKILL' });
    expect(statSync(`${place}.part`).mode & 0o777).toBe(0o700);
    expect(statSync(`${place}.part/pod.arrow`).mode & 0o777).toBe(0o600);
    const asked = sfkit(
      'query',
      `${place}.part`,
      'select count(*) > 0 as any, (select count(*) from pod) as pods from file_flow',
    );
    expect(asked).toMatchObject({ status: 0, stderr: '' });
    expect(asked.stdout).toContain('true');
  });

  it.each([['p.sf'], ['p.parquet'], ['p.csv'], ['p/']])(
    'writes %s for its owner alone, as it holds what programs were given',
    async (name) => {
      const path = directory.path('private', name);
      mkdirSync(directory.path('private'), { recursive: true });
      expect(
        await startLive(['live', '-o', path + (name.endsWith('/') ? '/' : ''), '--duration', '0.2']).ended,
      ).toMatchObject({
        exit: 0,
      });
      const files = name.endsWith('/') ? readdirSync(path).map((one) => join(path, one)) : [path];
      for (const file of files) expect([file, statSync(file).mode & 0o777]).toEqual([file, 0o600]);
    },
  );

  it('tells of --top as JSON where that is asked for, beside the tables', async () => {
    const end = await startLive(['live', '--top', '--json', '--duration', '1.5']).ended;
    expect(JSON.parse(end.stderr.slice(end.stderr.indexOf('{')))).toMatchObject({ outputs: [] });
    expect(end.stdout).toContain('processes');
  });

  it.each([
    [['record', '-o', '-'], /not to standard output/],
    [['live', '-o', 'same', '-f', 'avro', '-w', 'same'], /name them differently/],
    [['live', '--top', '-f', 'jsonl'], /--top takes standard output/],
    [['live', '--top', '--rotate', '5'], /--rotate is about records in files/],
    [['live', '-o', '/dev/null', '-f', 'avro', '--rotate', '5'], /cannot be rotated/],
    [['live', '--table', 'file', '-o', 'x.sf'], /a SysFlow file holds all records/],
    [['record', '-o', 'x', '--buffer-size', '3M'], /a power of two/],
    [['live', '-o', 'same.sf', '-w', './same.sf'], /name them differently/],
    [['live', '--socket', '/'.padEnd(108, 'x')], /at most 107 bytes/],
    [['live', '--cri-socket', ''], /expected a path/],
    [['live', '--pid', '99999999999999999999'], /4194304/],
  ])('refuses what makes no sense: %j', (args, message) => {
    const run = sfkit(...args);
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(message);
  });

  it('keeps a part of the calls that change nothing where that is wanted, and counts the rest', async () => {
    const live = startLive([
      'live',
      '-o',
      directory.path('s.jsonl'),
      '--file-read-mode',
      'all',
      '--sampling',
      '100',
      '--filter',
      'proc.name = dd',
      '--json',
    ]);
    await live.capturing;
    execFileSync('dd', ['if=/dev/zero', `of=${directory.path('zeros')}`, 'bs=1', 'count=200000'], { stdio: 'ignore' });
    await sleep(200);
    const end = await live.end('SIGINT');
    expect(end).toMatchObject({ exit: 0 });
    const { gaps } = JSON.parse(end.stdout);
    expect(gaps).toContainEqual({
      id: 'sampled-out',
      severity: 'skipped',
      reason: 'events left out by the sampling ratio',
      count: expect.any(Number),
      isLoss: false,
    });
    // What changes the state is told all the same.
    const flows = jsonLines(directory.path('s.jsonl')).filter((row) => row.file_path === directory.path('zeros'));
    expect(flows.flatMap((row) => row.opflags)).toEqual(expect.arrayContaining(['OPEN', 'CLOSE']));
    expect(flows.reduce((sum, row) => sum + row.flow_wops, 0)).toBeLessThan(200000);
  });

  it('sends records to a socket', async () => {
    const path = directory.path('s');
    const server = spawn(testProgram('sfkit_seqpacket_server'), [path], { stdio: ['ignore', 'pipe', 'inherit'] });
    let received = '';
    server.stdout.setEncoding('utf8').on('data', (text) => {
      received += text;
    });
    await until(() => received !== '');
    const closed = new Promise((resolve) => server.once('close', resolve));
    const live = startLive(['live', '--socket', path]);
    await live.capturing;
    work();
    await sleep(1000);
    expect(await live.end('SIGINT')).toMatchObject({ exit: 0 });
    // Its one connection is over.
    await closed;
    const type = sysflowType();
    const messages = received.trim().split('\n').slice(1);
    const names = messages.map((line) => unwrap(type.fromBuffer(Buffer.from(line, 'hex'))).name);
    expect(names[0]).toBe('SFHeader');
    expect(names).toContain('ProcessEvent');
  });

  it('tells what a socket without a reader did not get', async () => {
    const live = startLive(['live', '--socket', directory.path('nobody'), '--duration', '1']);
    await live.capturing;
    work();
    const end = await live.ended;
    expect(end.exit).toBe(3);
    expect(end.stderr).toMatch(/lost: [\d,]+ records that the reader of the socket did not take/);
  });

  it('shows who is busy', async () => {
    const live = startLive(['live', '--top', '--duration', '3', '--comm', 'sh', '--comm', 'cat']);
    await live.capturing;
    for (let i = 0; i < 20; i++) {
      work();
      await sleep(100);
    }
    const end = await live.ended;
    expect(end).toMatchObject({ exit: 0 });
    expect(end.stdout).toMatch(/processes .*calls\/s/);
    expect(end.stdout).toContain(directory.path('made').slice(0, 20));
    expect(end.stdout).toMatch(/ cat \(\d+\)/);
  });

  it('that shows who is busy ends with who looks at it', () => {
    const command = `${process.execPath} ${join(root, 'bin/run.js')} live --top | head -n 1`;
    const run = spawnSync('timeout', ['30', 'bash', '-c', `set -o pipefail; ${command}`], { encoding: 'utf8' });
    expect(run.status).toBe(0);
  });

  it('is what a driver without a capture does, until exit()', async () => {
    const paths = new Set<string>();
    const filePath = directory.path('d.sf');
    const driver = new SysFlowDriver({
      filePath,
      rotateInterval: 0,
      fileReadMode: 0,
      callback: (_header, _container, _process, file1) => {
        if (file1 !== null) paths.add(file1.path);
      },
    });
    const running = driver.run();
    const working = setInterval(work, 500);
    await until(() => paths.has(directory.path('made')));
    clearInterval(working);
    driver.exit();
    const summary = await running;
    expect(summary.live.running).toBe(false);
    expect(summary.live.gaps.filter(({ isLoss }) => isLoss)).toEqual([]);
    expect((await readSf(filePath)).length).toBeGreaterThan(1);
  });
});

const group = '/sys/fs/cgroup/pids/kubepods';
const noCgroups = cgroupsReason();

function cgroupsReason(): string | undefined {
  try {
    mkdirSync(`${group}/sfkit-try`, { recursive: true });
    rmdirSync(`${group}/sfkit-try`);
    return undefined;
  } catch (error) {
    return `control groups cannot be made here: ${(error as Error).message}`;
  }
}

const noContainers = noLive ?? noCgroups;
describe.skipIf(noContainers !== undefined)(
  `containers of a live capture${noContainers === undefined ? '' : ` (skipped: ${noContainers})`}`,
  () => {
    it('have the id of their control group at once, and soon what their runtime says', async () => {
      const id = 'abcdef012345';
      const full = id.padEnd(64, '7');
      const socket = directory.path('cri.sock');
      const endCri = await startCri(socket, {
        containers: {
          [full]: {
            status: { id: full, metadata: { name: 'app' }, image: { image: 'quay.io/app:2' } },
            info: { info: JSON.stringify({ config: { linux: { security_context: { privileged: true } } } }) },
          },
        },
      });
      const place = `${group}/cri-containerd-${full}.scope`;
      mkdirSync(place, { recursive: true });
      const recording = directory.path('c.scap');
      try {
        const live = startLive([
          'live',
          '-o',
          directory.path('c.jsonl'),
          '--write',
          recording,
          '--cri-socket',
          socket,
          '--containers-only',
        ]);
        await live.capturing;
        // The runtime is asked meanwhile.
        const rounds = 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.5; /bin/cat /etc/hostname; done';
        const script = `echo $$ > ${place}/cgroup.procs; /bin/true; ${rounds}`;
        // Not waiting here: the stub answers on this thread.
        await promisify(execFile)('/bin/sh', ['-c', script]);
        expect(await live.end('SIGINT')).toMatchObject({ exit: 0 });
      } finally {
        endCri();
        rmdirSync(place);
      }
      const rows = jsonLines(directory.path('c.jsonl'));
      const last = rows.findLast((row) => row.proc_args === '/etc/hostname' && row.opflags.includes('EXEC'));
      expect(last).toMatchObject({
        container_id: id,
        container_name: 'app',
        container_image: 'quay.io/app:2',
        container_privileged: true,
      });
      expect(rows.every((row) => row.container_id === id)).toBe(true);
      // The description is in the recording, too.
      const again = sfkit('convert', recording, '-f', 'jsonl', '-o', '-', '--containers-only');
      expect(again.stdout.replaceAll('"filename":"c.scap"', '"filename":"live"')).toBe(
        readFileSync(directory.path('c.jsonl'), 'utf8'),
      );
    });
  },
);
