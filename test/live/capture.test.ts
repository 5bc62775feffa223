import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
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
import { settled, until } from '../helpers/until.js';

const directory = testDirectory();
const sfkit = (...args: string[]) =>
  spawnSync(process.execPath, [join(root, 'bin/run.js'), ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
const jsonLines = (path: string) =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const namesIn = (path: string) => (existsSync(path) ? readdirSync(path) : []);

/** A program that makes records. */
function work(): void {
  execFileSync('/bin/sh', [
    '-c',
    `echo something > ${directory.path('made')}; cat ${directory.path('made')}`,
  ]);
}

describe.skipIf(noLive !== undefined)(liveTitle('the probe'), () => {
  const { recordPath, recordGzip, dropsPrivileges, maxEvents, ...options } = liveConfig({});
  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])(
    'loads every program (all system calls: %s, raw tracepoints: %s)',
    (allSyscalls, rawTracepoints) => {
      const what = loadAddon().tryProbe({ ...options, allSyscalls, rawTracepoints });
      expect(what).toMatch(
        rawTracepoints ? /programs on raw tracepoints$/ : /programs on BTF tracepoints$/,
      );
      expect(Number.parseInt(what, 10)).toBeGreaterThan(allSyscalls ? 135 : 110);
    },
  );

  it('records every call of several processes once and in order, with every way of loading', () => {
    const trial = spawnSync(testProgram('sfkit_probe_trial'), ['100000'], { encoding: 'utf8' });
    expect(trial.stdout).toMatch(/^ok {4}default/m);
    expect([trial.status, trial.stdout]).toEqual([0, expect.stringContaining('all is well')]);
  });
});

describe.skipIf(noLive !== undefined)(liveTitle('a live capture'), () => {
  it('starts a new file and new tables at each rotation, each complete by itself', async () => {
    const avro = startLive(['live', '-o', directory.path('r.sf'), '--rotate', '1']);
    const tables = startLive([
      'live',
      '-o',
      directory.path('tables/'),
      '-f',
      'jsonl',
      '--rotate',
      '1',
    ]);
    await Promise.all([avro.capturing, tables.capturing]);
    const complete = () =>
      readdirSync(directory.path()).filter((name) => /^r\.sf\.\d+$/.test(name));
    await until(() => {
      work();
      return complete().length > 0 && namesIn(directory.path('tables')).length > 1;
    });
    const ends = await Promise.all([avro.end('SIGINT'), tables.end('SIGTERM')]);
    expect(ends.map(({ exit, stderr }) => [exit, stderr.includes('lost: nothing')])).toEqual([
      [0, true],
      [0, true],
    ]);
    const files = complete();
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

  it('that is killed leaves readable output', async () => {
    const [sf, recording] = [directory.path('k.sf'), directory.path('k.scap.gz')];
    const live = startLive(['live', '-o', sf, '--write', recording]);
    await live.capturing;
    // Both files exist and contain more than their headers.
    const sizes = () =>
      [`${sf}.part`, `${recording}.part`].map((path) =>
        existsSync(path) ? statSync(path).size : 0,
      );
    const flushed = async () => {
      work();
      const before = sizes();
      await until(() => sizes().every((size, i) => size > (before[i] as number)));
    };
    await flushed();
    // Both contain the activity.
    const looksInto = [
      'events',
      `${recording}.part`,
      '--filter',
      `fd.name = ${directory.path('made')}`,
    ];
    await until(() => sfkit(...looksInto).stdout !== '');
    const written = () => readSf(`${sf}.part`).catch(() => []);
    await until(async () => (await written()).some(({ type }) => type === 'ProcessEvent'));
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
    expect(
      jsonLines(directory.path('k.jsonl')).some((row) => row.file_path === directory.path('made')),
    ).toBe(true);
    // The next run takes another name and leaves it alone.
    const next = startLive(['live', '-o', sf, '--duration', '1']);
    expect(await next.ended).toMatchObject({ exit: 0 });
    expect([existsSync(sf), existsSync(`${sf}.part`)]).toEqual([true, true]);
  });

  it('drops its privileges in all threads', async () => {
    const live = startLive(['live', '-o', directory.path('p.jsonl')]);
    await live.capturing;
    const held = () =>
      readdirSync(`/proc/${live.pid}/task`).map((tid) => {
        const status = readFileSync(`/proc/${live.pid}/task/${tid}/status`, 'utf8');
        return [/CapEff:\s*(\w+)/.exec(status)?.[1], /NoNewPrivs:\s*(\d)/.exec(status)?.[1]].join(
          ' ',
        );
      });
    await until(() => held().every((rights) => rights === '0000000000000002 1'));
    expect(held().length).toBeGreaterThan(4);
    work();
    expect(await live.end('SIGINT')).toMatchObject({ exit: 0 });
    expect(
      jsonLines(directory.path('p.jsonl')).some((row) => row.file_path === directory.path('made')),
    ).toBe(true);
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
    const live = startLive(
      ['live', '-o', join(place, 'u.jsonl')],
      ['env', `HOME=${place}`, ...command],
    );
    await live.capturing;
    work();
    expect(await live.end('SIGINT')).toMatchObject({ exit: 0 });
    expect(
      jsonLines(join(place, 'u.jsonl')).some((row) => row.file_path === directory.path('made')),
    ).toBe(true);
  });

  it('fails without privileges, with advice and without output', () => {
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

  it('names the file with the data written before the disk was full', () => {
    const place = directory.path('full');
    mkdirSync(place);
    const script = `mount -t tmpfs -o size=64k none ${place} && cd ${place} && "$@"; echo $? && ls && stat -c %s *`;
    const busy = spawn('/bin/sh', ['-c', 'while :; do /bin/true; done'], { stdio: 'ignore' });
    const run = spawnSync(
      'unshare',
      [
        '--mount',
        'sh',
        '-c',
        script,
        '-',
        process.execPath,
        join(root, 'bin/run.js'),
        'live',
        '-o',
        'x.jsonl',
      ],
      { encoding: 'utf8' },
    );
    busy.kill();
    expect(run.stdout).toBe('1\nx.jsonl.part\n65536\n');
    expect(run.stderr).toMatch(
      /\nsfkit: cannot write x\.jsonl\.part: no space left on the device\n$/,
    );
  });

  it('fails if /proc is not mounted, because running processes would be unknown', () => {
    const script = 'mount -t tmpfs none /proc && exec "$@"';
    const run = spawnSync(
      'unshare',
      [
        '--mount',
        'sh',
        '-c',
        script,
        '-',
        process.execPath,
        join(root, 'bin/run.js'),
        'live',
        '-o',
        'x.sf',
      ],
      { encoding: 'utf8', cwd: directory.path() },
    );
    expect(run).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('/proc is not mounted; mount it'),
    });
    expect(existsSync(directory.path('x.sf'))).toBe(false);
  });

  it.each([1, 100])(
    'ends after the requested number of events (%i), with a capture of exactly those',
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
      // Heartbeats and events for the state are also events of the file.
      const info = JSON.parse(sfkit('info', recording, '--json').stdout);
      expect(info[0].events).toBeGreaterThanOrEqual(most);
      expect(statSync(recording).mode & 0o777).toBe(0o600);
    },
  );

  it('still writes its records if the recording fails, and reports it', async () => {
    const live = startLive(['live', '-o', directory.path('f.jsonl'), '--write', '/dev/full']);
    const end = await live.ended;
    expect(end.exit).toBe(1);
    expect(end.stderr).toContain('/dev/full: cannot be written: No space left on device');
    expect(end.stderr).toMatch(/ events in .* -> .*f\.jsonl \(jsonl\)$/m);
    expect(existsSync(directory.path('f.jsonl'))).toBe(true);
    expect(statSync('/dev/full').isCharacterDevice()).toBe(true);
  });

  it('ends in time if nobody reads the pipe of its recording, and reports it', async () => {
    const pipe = directory.path('pipe');
    execFileSync('mkfifo', [pipe]);
    // Open on both sides, but never read.
    const holder = spawn('/bin/sh', ['-c', `exec 3<> ${pipe}; echo open; exec sleep 100`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    const live = startLive(['live', '-o', directory.path('n.jsonl'), '--write', pipe]);
    await live.capturing;
    execFileSync('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=1', 'count=20000'], {
      stdio: 'ignore',
    });
    const end = await live.end('SIGINT');
    holder.kill();
    expect(end.exit).toBe(1);
    expect(end.stderr).toContain(`${pipe}: cannot be written: nobody reads it`);
    expect(existsSync(directory.path('n.jsonl'))).toBe(true);
  });

  it('ends some seconds later if nobody reads its pipe, and keeps its recording', async () => {
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
    const args = [
      join(root, 'bin/run.js'),
      'live',
      '--all-syscalls',
      '--no-file-only',
      '--file-read-mode',
      'all',
    ];
    const unread = spawn(process.execPath, [...args, '--write', recording], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let messages = '';
    unread.stderr.setEncoding('utf8').on('data', (text) => (messages += text));
    const exit = new Promise((resolve) => unread.on('exit', resolve));
    const busy = setInterval(work, 20);
    // Their records exceed the capacity of any pipe.
    await until(
      () => existsSync(`${recording}.part`) && statSync(`${recording}.part`).size > 4_000_000,
    );
    clearInterval(busy);
    unread.kill('SIGTERM');
    expect(await exit).toBe(1);
    expect(messages).toMatch(/cannot write standard output: nobody reads it; the rest is lost\n$/);
    expect(messages).toContain(`${recording} (capture)`);
    for (const { live, recording } of unopened) {
      const end = await live.ended;
      expect(end).toMatchObject({
        exit: 1,
        stderr: expect.stringContaining(`${pipe}: nobody reads it`),
      });
      expect(end.stderr).toContain(`${recording} (capture)`);
      expect(sfkit('info', recording).status).toBe(0);
    }
  });

  it('completes its recording if the reader of its records closes the pipe', () => {
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
    const run = spawnSync('sh', ['-c', script, '-', ...args], {
      encoding: 'utf8',
      cwd: directory.path(),
    });
    busy.kill();
    expect(run.stdout).toMatch(/^\{.*\}\n$/);
    expect(run.stderr).toContain('h.scap (capture)');
    expect(sfkit('info', directory.path('h.scap')).status).toBe(0);
  });

  it('replaces no rotation of another run, and follows no link at the name of unfinished output', async () => {
    const place = directory.path('rotated');
    const runs = [1, 2].map(() =>
      startLive(['live', '-o', `${place}/`, '-f', 'csv', '--rotate', '60', '--duration', '1']),
    );
    for (const run of runs) expect(await run.ended).toMatchObject({ exit: 0 });
    expect(readdirSync(place)).toHaveLength(2);
    symlinkSync(directory.path('target'), directory.path('l.sf.part'));
    expect(
      await startLive(['live', '-o', directory.path('l.sf'), '--duration', '0.2']).ended,
    ).toMatchObject({
      exit: 0,
    });
    expect(existsSync(directory.path('target'))).toBe(false);
    expect(lstatSync(directory.path('l.sf')).isFile()).toBe(true);
  });

  it('leaves readable records if it is killed, for their owner only', async () => {
    const place = directory.path('killed');
    const live = startLive(['live', '-o', `${place}/`, '-f', 'arrow', '--file-read-mode', 'all']);
    await live.capturing;
    const busy = setInterval(work, 20);
    await until(
      () =>
        existsSync(`${place}.part/file_flow.arrow`) &&
        statSync(`${place}.part/file_flow.arrow`).size > 9000,
    );
    clearInterval(busy);
    // A write that the kill interrupts would be damage.
    await settled(() => statSync(`${place}.part/file_flow.arrow`).size);
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
    'writes %s readable only by its owner, because it contains data of programs',
    async (name) => {
      const path = directory.path('private', name);
      mkdirSync(directory.path('private'), { recursive: true });
      expect(
        await startLive(['live', '-o', path + (name.endsWith('/') ? '/' : ''), '--duration', '0.2'])
          .ended,
      ).toMatchObject({
        exit: 0,
      });
      const files = name.endsWith('/') ? readdirSync(path).map((one) => join(path, one)) : [path];
      for (const file of files) expect([file, statSync(file).mode & 0o777]).toEqual([file, 0o600]);
    },
  );

  it('prints the summary of --top as JSON on request, next to the tables', async () => {
    const end = await startLive(['live', '--top', '--json', '--duration', '1.5']).ended;
    expect(JSON.parse(end.stderr.slice(end.stderr.indexOf('{')))).toMatchObject({ outputs: [] });
    expect(end.stdout).toContain('processes');
  });

  it.each([
    [['record', '-o', '-'], /not standard output/],
    [['live', '-o', 'same', '-f', 'avro', '-w', 'same'], /use different names/],
    [['live', '--top', '-f', 'jsonl'], /--top uses standard output/],
    [['live', '--top', '--rotate', '5'], /--rotate applies to files/],
    [['live', '-o', '/dev/null', '-f', 'avro', '--rotate', '5'], /cannot be rotated/],
    [['live', '--table', 'file', '-o', 'x.sf'], /a SysFlow file has all records/],
    [['record', '-o', 'x', '--buffer-size', '3M'], /a power of two/],
    [['live', '-o', 'same.sf', '-w', './same.sf'], /use different names/],
    [['live', '--socket', '/'.padEnd(108, 'x')], /at most 107 bytes/],
    [['live', '--cri-socket', ''], /expected a path/],
    [['live', '--pid', '99999999999999999999'], /4194304/],
  ])('rejects contradictory options: %j', (args, message) => {
    const run = sfkit(...args);
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(message);
  });

  it('samples calls that change no state on request, and counts the rest', async () => {
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
    execFileSync('dd', ['if=/dev/zero', `of=${directory.path('zeros')}`, 'bs=1', 'count=200000'], {
      stdio: 'ignore',
    });
    const rows = `${directory.path('s.jsonl')}.part`;
    await until(
      () => existsSync(rows) && readFileSync(rows, 'utf8').includes(directory.path('zeros')),
    );
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
    // Calls that change the state are all recorded.
    const flows = jsonLines(directory.path('s.jsonl')).filter(
      (row) => row.file_path === directory.path('zeros'),
    );
    expect(flows.flatMap((row) => row.opflags)).toEqual(expect.arrayContaining(['OPEN', 'CLOSE']));
    expect(flows.reduce((sum, row) => sum + row.flow_wops, 0)).toBeLessThan(200000);
  });

  it('sends records to a socket', async () => {
    const path = directory.path('s');
    const server = spawn(testProgram('sfkit_seqpacket_server'), [path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let received = '';
    server.stdout.setEncoding('utf8').on('data', (text) => {
      received += text;
    });
    await until(() => received !== '');
    const closed = new Promise((resolve) => server.once('close', resolve));
    const live = startLive(['live', '--socket', path]);
    await live.capturing;
    const type = sysflowType();
    const messages = () => received.split('\n').slice(1, -1);
    const names = () =>
      messages().map((line) => unwrap(type.fromBuffer(Buffer.from(line, 'hex'))).name);
    await until(() => {
      work();
      return names().includes('ProcessEvent');
    });
    expect(await live.end('SIGINT')).toMatchObject({ exit: 0 });
    // Its only connection is closed.
    await closed;
    expect(names()[0]).toBe('SFHeader');
  });

  it('reports records lost by a socket without a reader', async () => {
    const live = startLive(['live', '--socket', directory.path('nobody'), '--duration', '1']);
    await live.capturing;
    work();
    const end = await live.ended;
    expect(end.exit).toBe(3);
    expect(end.stderr).toMatch(/lost: [\d,]+ records that the reader of the socket did not take/);
  });

  it('shows the busiest', async () => {
    const live = startLive(['live', '--top', '--comm', 'sh', '--comm', 'cat']);
    await live.capturing;
    await until(() => {
      work();
      return (
        / cat \(\d+\)/.test(live.stdout()) &&
        live.stdout().includes(directory.path('made').slice(0, 20))
      );
    });
    const end = await live.end('SIGINT');
    expect(end).toMatchObject({ exit: 0 });
    expect(end.stdout).toMatch(/processes .*calls\/s/);
    expect(end.stdout).toContain(directory.path('made').slice(0, 20));
    expect(end.stdout).toMatch(/ cat \(\d+\)/);
  });

  it('with --top ends when its reader closes the pipe', () => {
    const command = `${process.execPath} ${join(root, 'bin/run.js')} live --top | head -n 1`;
    const run = spawnSync('timeout', ['30', 'bash', '-c', `set -o pipefail; ${command}`], {
      encoding: 'utf8',
    });
    expect(run.status).toBe(0);
  });

  it('runs in a driver without a capture file, until exit()', async () => {
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
    await until(() => existsSync(`${filePath}.part`));
    expect(statSync(`${filePath}.part`).mode & 0o777).toBe(0o600);
    driver.exit();
    const summary = await running;
    expect(statSync(filePath).mode & 0o777).toBe(0o600);
    expect(summary.live.running).toBe(false);
    expect(summary.live.gaps.filter(({ isLoss }) => isLoss)).toEqual([]);
    expect((await readSf(filePath)).length).toBeGreaterThan(1);
    // It has data of other programs.
    expect(statSync(filePath).mode & 0o777).toBe(0o600);
  });

  it.each(['flow', 'flows/'])(
    'writes rotated files that only their owner can read, each with its name in the header: %s',
    async (name) => {
      const driver = new SysFlowDriver({ filePath: directory.path(name), rotateInterval: 1 });
      const running = driver.run();
      const place = name.endsWith('/') ? directory.path(name) : directory.path();
      await until(() => namesIn(place).filter((file) => /\d{10}$/.test(file)).length > 1);
      driver.exit();
      const { files } = await running;
      expect(files.length).toBeGreaterThan(1);
      for (const file of files) {
        expect(statSync(file).mode & 0o777).toBe(0o600);
        expect((await readSf(file))[0]).toMatchObject({
          type: 'SFHeader',
          fields: { filename: file },
        });
      }
    },
  );

  it('writes several outputs at once, with the same records', async () => {
    const output = directory.path('now.sf');
    const lines = directory.path('now.jsonl');
    const live = startLive([
      'live',
      '-o',
      output,
      '-o',
      lines,
      '-f',
      'jsonl',
      '-o',
      '-',
      '--stats',
      '1',
    ]);
    await live.capturing;
    work();
    await until(() => live.stdout().includes(directory.path('made')));
    const { exit, stdout, stderr } = await live.end('SIGINT');
    expect([exit, stderr]).toEqual([0, expect.stringMatching(/sfkit: statistics: events [1-9]/)]);
    expect(stderr).toContain(`-> ${output} (avro), ${lines} (jsonl), standard output (jsonl)`);
    expect(stdout).toBe(readFileSync(lines, 'utf8'));
    expect(jsonLines(lines).some(({ file_path }) => file_path === directory.path('made'))).toBe(
      true,
    );
    const header = (await readSf(output))[0];
    expect(header).toMatchObject({ type: 'SFHeader', fields: { filename: output } });
  });

  it('completes the other outputs if one cannot be written', async () => {
    const output = directory.path('now.sf');
    const live = startLive(['live', '-o', output, '-f', 'jsonl', '-o', '/dev/full']);
    const { exit, stderr } = await live.ended;
    expect([exit, stderr]).toEqual([1, expect.stringMatching(/\/dev\/full.*no space/)]);
    expect(stderr).toContain(`-> ${output} (avro)`);
    expect((await readSf(output))[0]).toMatchObject({ type: 'SFHeader' });
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
    it('have the id of their control group at once, and the description of their runtime soon', async () => {
      const id = 'abcdef012345';
      const full = id.padEnd(64, '7');
      const socket = directory.path('cri.sock');
      const endCri = await startCri(socket, {
        containers: {
          [full]: {
            status: { id: full, metadata: { name: 'app' }, image: { image: 'quay.io/app:2' } },
            info: {
              info: JSON.stringify({
                config: { linux: { security_context: { privileged: true } } },
              }),
            },
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
        const script = `echo $$ > ${place}/cgroup.procs; /bin/true; while read go; do /bin/cat /etc/hostname; done`;
        const shell = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'inherit'] });
        const ended = once(shell, 'close');
        // The runtime gets its request meanwhile; its answer goes into the recording.
        await until(() => {
          shell.stdin.write('go\n');
          return readFileSync(`${recording}.part`, 'latin1').includes('quay.io/app');
        });
        shell.stdin.end('go\n');
        await ended;
        expect(await live.end('SIGINT')).toMatchObject({ exit: 0 });
      } finally {
        endCri();
        rmdirSync(place);
      }
      const rows = jsonLines(directory.path('c.jsonl'));
      const last = rows.findLast(
        (row) => row.proc_args === '/etc/hostname' && row.opflags.includes('EXEC'),
      );
      expect(last).toMatchObject({
        container_id: id,
        container_name: 'app',
        container_image: 'quay.io/app:2',
        container_privileged: true,
      });
      // Other tests may run containers at the same time.
      expect(rows.filter((row) => !row.container_id)).toEqual([]);
      expect(rows.filter((row) => row.proc_args === '/etc/hostname')).not.toEqual([]);
      for (const row of rows.filter((row) => row.proc_args === '/etc/hostname'))
        expect(row.container_id).toBe(id);
      // The recording also contains the description.
      const again = sfkit('convert', recording, '-f', 'jsonl', '-o', '-', '--containers-only');
      expect(again.stdout.replaceAll('"filename":"c.scap"', '"filename":"live"')).toBe(
        readFileSync(directory.path('c.jsonl'), 'utf8'),
      );
    });

    it('have the description of their runtime in the driver for C++, which a signal ends', async () => {
      const full = 'fedcba543210'.padEnd(64, '7');
      const socket = directory.path('cri.sock');
      const status = { id: full, metadata: { name: 'app' }, image: { image: 'quay.io/app:2' } };
      const endCri = await startCri(socket, { containers: { [full]: { status, info: {} } } });
      const place = `${group}/cri-containerd-${full}.scope`;
      mkdirSync(place, { recursive: true });
      const recording = directory.path('c.scap');
      const filePath = directory.path('c.sf');
      try {
        const args = ['live', `output=${filePath}`, `record=${recording}`, `cri=${socket}`];
        const trial = spawn(testProgram('sfkit_driver_trial'), args, { stdio: 'ignore' });
        const trialEnded = once(trial, 'close');
        await until(() => existsSync(recording));
        const script = `echo $$ > ${place}/cgroup.procs; while read go; do /bin/cat /etc/hostname; done`;
        const shell = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'inherit'] });
        const ended = once(shell, 'close');
        await until(() => {
          shell.stdin.write('go\n');
          return readFileSync(recording, 'latin1').includes('quay.io/app');
        });
        shell.stdin.end('go\n');
        await ended;
        trial.kill('SIGTERM');
        expect(await trialEnded).toEqual([0, null]);
      } finally {
        endCri();
        rmdirSync(place);
      }
      const records = await readSf(filePath);
      const images = records.map(({ type, fields }) => type === 'Container' && fields.image);
      expect(images).toContain('quay.io/app:2');
    });
  },
);
