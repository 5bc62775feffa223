import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Workplace } from '../helpers/cli.js';
import { readSf } from '../helpers/sf.js';

// Outputs and the collector's settings on the command line of convert.

let place: Workplace;
beforeEach(() => {
  place = new Workplace();
});
afterEach(() => place.remove());

const path = (...names: string[]) => join(place.directory, ...names);
const capture = 'fixtures/webserver.scap';

/** Records without headers, and the names in the headers. */
async function recordsIn(file: string) {
  const all = await readSf(path(file));
  return {
    records: all.filter(({ type }) => type !== 'SFHeader'),
    names: all.filter(({ type }) => type === 'SFHeader').map(({ fields }) => fields.filename),
  };
}

/** The blocks of a .sf file as they are in it, without counts and sizes. */
function blocksOf(file: Buffer): Buffer[] {
  const marker = file.subarray(-16);
  const blocks: Buffer[] = [];
  for (let at = file.indexOf(marker) + 16; at < file.length; at += 16) {
    const long = () => {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = file[at++] as number;
        value += (byte & 127) * scale;
        if (byte < 128) return value / 2;
      }
    };
    long();
    const size = long();
    blocks.push(file.subarray(at, at + size));
    at += size;
  }
  return blocks;
}

describe('--codec', () => {
  it('null writes the same bytes on every machine', async () => {
    const { exit, stderr } = await place.run(
      `set -e; sfkit convert ${capture} -o plain.sf --codec null
      sfkit convert ${capture} -o packed.sf; sfkit convert ${capture} -o same.sf --codec deflate`,
    );
    expect([exit, stderr]).toEqual([0, expect.any(String)]);
    const plain = readFileSync(path('plain.sf'));
    expect(createHash('sha256').update(plain).digest('hex')).toBe(
      'b252caea0ac39a0ac65e948c6ba3db076d2ec613f7ce5b2c678f6056e97b8825',
    );
    expect(plain.subarray(0, 64).toString('latin1')).toContain('avro.codec\x08null');
    expect((await recordsIn('plain.sf')).records).toEqual((await recordsIn('packed.sf')).records);
    expect(readFileSync(path('same.sf'))).toEqual(readFileSync(path('packed.sf')));
    // The blocks of both files are the same once they are decompressed.
    const [block] = blocksOf(readFileSync(path('packed.sf')));
    expect(inflateRawSync(block as Buffer)).toEqual(blocksOf(plain)[0]);
  });

  it('also applies to rotated files and to files from tables', async () => {
    const { exit, stderr } = await place.run(
      `set -e; sfkit convert ${capture} -o all.sf; sfkit convert ${capture} -o t/
      sfkit convert ${capture} -f avro -o parts/ --rotate 10 --codec null
      sfkit convert ${capture} -o beside.sf -o beside.csv --codec null
      sfkit convert t/ -o rebuilt.sf --codec null`,
    );
    expect([exit, stderr]).toEqual([0, expect.any(String)]);
    const parts = readdirSync(path('parts')).map((name) => join('parts', name));
    expect(parts.length).toBeGreaterThan(1);
    for (const file of [...parts, 'beside.sf', 'rebuilt.sf'])
      expect(readFileSync(path(file)).subarray(0, 64).toString('latin1')).toContain(
        'avro.codec\x08null',
      );
    expect((await recordsIn('beside.sf')).records).toEqual((await recordsIn('all.sf')).records);
    expect((await recordsIn('rebuilt.sf')).records).not.toEqual([]);
  });

  it('needs a SysFlow file', async () => {
    const { exit, stderr } = await place.run(`sfkit convert ${capture} -o x.csv --codec null`);
    expect([exit, stderr]).toEqual([
      2,
      'sfkit: --codec: only SysFlow files have a codec; the output is csv\n',
    ]);
  });
});

describe('several outputs', () => {
  it('are the same as those of several runs', async () => {
    const alone = await place.run(
      `set -e; for o in a.sf a.csv a.jsonl; do sfkit convert ${capture} -o $o; done
      sfkit convert ${capture} -f arrow -o alone/; sfkit convert ${capture} -f csv -o alone/`,
    );
    expect(alone).toMatchObject({ exit: 0 });
    const together = await place.run(
      `sfkit convert ${capture} -o b.sf -o b.csv -f csv -f arrow -o together/ -o b.jsonl`,
    );
    expect(together).toMatchObject({ exit: 0, stdout: '' });
    expect(together.stderr).toContain(
      '-> b.sf (avro), b.csv (csv), together/ (csv), together/ (arrow), b.jsonl (jsonl)\n',
    );
    expect(readFileSync(path('b.sf')).equals(readFileSync(path('a.sf')))).toBe(true);
    for (const format of ['csv', 'jsonl'])
      expect(readFileSync(path(`b.${format}`), 'utf8')).toBe(
        readFileSync(path(`a.${format}`), 'utf8'),
      );
    expect(readdirSync(path('together'))).toEqual(readdirSync(path('alone')));
    for (const name of readdirSync(path('together')).filter((one) => one.endsWith('.csv')))
      expect(readFileSync(path('together', name), 'utf8')).toBe(
        readFileSync(path('alone', name), 'utf8'),
      );
  });

  it('can include a database, standard output and a selected table', async () => {
    const { stdout, exit } = await place.run(
      `sfkit convert ${capture} -o x.duckdb -f csv -o - -o flows.jsonl --table network_flow`,
    );
    expect(exit).toBe(0);
    expect(existsSync(path('x.duckdb'))).toBe(true);
    const rows = readFileSync(path('flows.jsonl'), 'utf8').trim().split('\n').length;
    expect(stdout.trim().split('\n')).toHaveLength(rows + 1);
  });

  it('of tables and .sf files', async () => {
    const { exit, stderr } = await place.run(
      `set -e; sfkit convert ${capture} -o t/
      sfkit convert t/ -o from-tables.sf -o from-tables.csv
      sfkit convert from-tables.sf -o x.sf -o x.jsonl`,
    );
    expect([exit, stderr]).toEqual([0, expect.stringContaining('-> x.sf (avro), x.jsonl (jsonl)')]);
    // A .sf file has no IPv6 flows.
    const rows = (name: string) =>
      readFileSync(path(name), 'utf8')
        .trim()
        .split('\n')
        .filter((line) => !line.includes('fd00::')).length;
    expect(rows('from-tables.csv')).toBe(rows('x.jsonl') + 1);
    expect((await recordsIn('x.sf')).records).toEqual((await recordsIn('from-tables.sf')).records);
  });

  it('of a capture on standard input, and of several captures', async () => {
    const { exit, stderr } = await place.run(
      `set -e; sfkit convert - -f jsonl -f csv -o in/ < ${capture}
      cp ${capture} two.scap; sfkit convert ${capture} two.scap -f avro -f csv -o both/`,
    );
    expect([exit, stderr]).toEqual([0, expect.any(String)]);
    expect(readdirSync(path('in')).length).toBe(2 * 12);
    expect(readdirSync(path('both')).sort()).toEqual([
      'two.sf',
      'two.sysflow',
      'webserver.sf',
      'webserver.sysflow',
    ]);
  });

  it('are all missing after a failure', async () => {
    const { exit, stderr } = await place.run(
      `sfkit convert ${capture} -o x.sf -f csv -o t/ -o x.csv -o none/x.jsonl; status=$?
      sfkit convert missing.scap -o y.sf -o y.csv; exit $status`,
    );
    expect([exit, stderr]).toEqual([1, expect.stringContaining('none/x.jsonl')]);
    expect(readdirSync(place.directory)).toEqual(['fixtures']);
  });

  it('are listed in the JSON summary', async () => {
    const { stdout } = await place.run(`sfkit convert ${capture} -o x.sf -f csv -o t/ --json`);
    expect(JSON.parse(stdout)).toMatchObject({
      output: 'x.sf',
      format: 'avro',
      outputs: [
        { output: 'x.sf', format: 'avro' },
        { output: 't/', format: 'csv' },
      ],
    });
  });
});

describe('the name in the header of a .sf file', () => {
  it('is that of the capture; in compat mode it is the path of the file, as the collector has it', async () => {
    await place.run(
      `mkdir d; sfkit convert ${capture} -o d/a.sf; sfkit convert ${capture} -o d/b.sf --compat sysflow-0.7`,
    );
    expect((await recordsIn('d/a.sf')).names).toEqual(['webserver.scap']);
    expect((await recordsIn('d/b.sf')).names).toEqual(['d/b.sf']);
  });
});

describe('--rotate on a capture', () => {
  it('starts a .sf file per interval, complete and with its name in the header', async () => {
    expect(await place.run(`sfkit convert ${capture} -o flow.sf --rotate 10`)).toMatchObject({
      exit: 0,
    });
    const files = readdirSync(place.directory).filter((name) => name.startsWith('flow.sf.'));
    expect(files.length).toBeGreaterThan(3);
    const flows = new Set<string>();
    for (const file of files) {
      const { records, names } = await recordsIn(file);
      expect(names).toEqual([file]);
      for (const { type, fields } of records)
        if (type === 'NetworkFlow') flows.add(`${fields.ts} ${fields.sport} ${fields.fd}`);
    }
    await place.run(`sfkit convert ${capture} -o whole.sf`);
    const whole = (await recordsIn('whole.sf')).records.filter(
      ({ type }) => type === 'NetworkFlow',
    );
    expect(flows.size).toBe(
      new Set(whole.map(({ fields: f }) => `${f.ts} ${f.sport} ${f.fd}`)).size,
    );
  });

  it('starts a directory of tables per interval, and replaces nothing', async () => {
    const run = () => place.run(`sfkit convert ${capture} -f csv -o t/ --rotate 10s`);
    expect(await run()).toMatchObject({ exit: 0 });
    const first = readdirSync(path('t'));
    for (const name of first) expect(name).toMatch(/^20260302T1000\d\dZ$/);
    await run();
    expect(readdirSync(path('t')).sort()).toEqual(
      [...first, ...first.map((name) => `${name}-1`)].sort(),
    );
  });

  it('is rejected for records and for outputs that cannot be rotated', async () => {
    const { stderr } = await place.run(
      `sfkit convert ${capture} -o x.sf 2>/dev/null
      sfkit convert x.sf -o y.sf --rotate 10
      sfkit convert ${capture} -f csv -o - --rotate 10
      sfkit convert ${capture} -o x.csv --rotate 10
      sfkit convert ${capture} -o x/ --rotate 0`,
    );
    expect(stderr.split('\n').filter((line) => line !== '')).toEqual([
      expect.stringContaining('x.sf: --rotate is about the events of a capture'),
      expect.stringContaining('standard output cannot be rotated'),
      expect.stringContaining('x.csv is one file; --rotate needs a directory'),
      expect.stringContaining('--rotate 0: expected a time'),
    ]);
  });
});

describe('the settings of the collector', () => {
  const operations = async (mode: string) => {
    const { stdout } = await place.run(
      `sfkit query ${capture} --file-read-mode all --mode ${mode} "select type, opflags, count(*) as n from sysflow group by all order by all" --format jsonl`,
    );
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  };

  it('--mode: flows of files, only opens, or no records of files', async () => {
    const [flow, consume, nofiles] = await Promise.all(
      ['flow', 'consume', 'nofiles'].map(operations),
    );
    const files = (rows: { type: string; opflags: string[] }[] = []) =>
      rows.filter(({ type }) => type === 'FF').flatMap(({ opflags }) => opflags);
    expect(files(flow)).toContain('READ_RECV');
    expect(new Set(files(consume))).toEqual(new Set(['OPEN']));
    expect(nofiles?.some(({ type }: { type: string }) => type === 'FF' || type === 'FE')).toBe(
      false,
    );
    expect(nofiles?.some(({ type }: { type: string }) => type === 'NF')).toBe(true);
    const same = await place.run(
      `sfkit convert ${capture} -o a.sf; sfkit convert ${capture} --mode flow -o b.sf`,
    );
    expect(same.exit).toBe(0);
    expect((await recordsIn('a.sf')).records).toEqual((await recordsIn('b.sf')).records);
  });

  it('--mode rejects other names', async () => {
    const { exit, stderr } = await place.run(`sfkit convert ${capture} --mode consumer`);
    expect([exit, stderr]).toEqual([2, expect.stringContaining('flow, consume, nofiles')]);
  });

  it('--stats and ENABLE_STATS print counts at the end at least', async () => {
    const line =
      /^sfkit: statistics: events 831, records 207; alive: containers \d+, processes \d+, files \d+, network flows \d+, file flows \d+, process flows \d+$/m;
    const stats = await place.run(`sfkit convert ${capture} -o a.csv --stats 1m`);
    expect([stats.exit, stats.stderr]).toEqual([0, expect.stringMatching(line)]);
    const variable = await place.run(`ENABLE_STATS=TRUE sfkit convert ${capture} -o a.csv`);
    expect(variable.stderr).toMatch(line);
    const off = await place.run(`ENABLE_STATS=no sfkit convert ${capture} -o a.csv`);
    expect(off.stderr).not.toContain('statistics');
    const wrong = await place.run(`sfkit convert ${capture} -o a.csv --stats often`);
    expect([wrong.exit, wrong.stderr]).toEqual([
      2,
      expect.stringContaining('--stats often: expected a time'),
    ]);
  });

  it.each([
    ['FILE_ONLY', 'No', '--file-only'],
    ['ENABLE_PROC_FLOW', 'FALSE', '--process-flow'],
  ])('%s=%s overrides %s, which the run reports', async (name, value, flag) => {
    const { stderr } = await place.run(`${name}=${value} sfkit convert ${capture} -o a.csv`);
    expect(stderr).toContain(`sfkit: ${name}=${value} in the environment overrides ${flag}\n`);
    const odd = await place.run(`${name}=on sfkit convert ${capture} -o a.csv`);
    expect(odd.stderr).toContain(
      `sfkit: ${name}='on' in the environment: expected 1, true, yes, 0, false or no; it counts as off\n`,
    );
    const same = await place.run(`${name}=YES sfkit convert ${capture} -o a.csv`);
    expect(same.stderr).not.toContain(name);
  });
});

describe('--socket', () => {
  it('rejects tables, and paths that no socket can have', async () => {
    const { stderr } = await place.run(
      `sfkit convert ${capture} -o t/ 2>/dev/null
      sfkit convert t/ --socket s
      sfkit convert ${capture} --socket ${'s'.repeat(108)}
      sfkit convert ${capture} --socket ''`,
    );
    expect(stderr.split('\n').filter((line) => line !== '')).toEqual([
      expect.stringContaining('--socket needs a capture or a SysFlow file'),
      expect.stringContaining('--socket: expected a path of at most 107 bytes'),
      expect.stringContaining('--socket: expected a path, found nothing'),
    ]);
  });
});
