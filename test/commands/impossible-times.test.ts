import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Workplace } from '../helpers/cli.js';
import { fixtures } from '../helpers/corpus.js';

const work = new Workplace();
afterAll(() => work.remove());

/**
 * The capture with another time, as a 64-bit number, in each event that creates one of these
 * directories.
 */
async function withTimes(name: string, time: bigint): Promise<void> {
  const capture = readFileSync(join(fixtures, 'webserver.scap'));
  const { stdout } = await work.run(
    `sfkit events fixtures/webserver.scap --filter "evt.type in (mkdir, unlink, rename, mkdirat, unlinkat, renameat)" -p "%evt.rawtime"`,
  );
  const times = stdout.trim().split('\n');
  expect(times.length).toBeGreaterThan(1);
  const old = Buffer.alloc(8);
  old.writeBigUInt64LE(BigInt(times[1] as string));
  const place = capture.indexOf(old);
  expect(place).toBeGreaterThan(0);
  capture.writeBigUInt64LE(BigInt.asUintN(64, time), place);
  writeFileSync(join(work.directory, name), capture);
}

const columns = 'type, opflags, ts, ts_uts, endts, endts_uts, res';

describe('an event with an impossible time', () => {
  it.each([
    ['2^63 - 1', 2n ** 63n - 1n, ['csv', 'jsonl', 'arrow', 'parquet', 'avro']],
    ['-1', -1n - 2n ** 32n, ['csv', 'jsonl', 'parquet']],
    ['-2^63', -(2n ** 63n), ['csv', 'jsonl', 'arrow']],
    ['-2', -2n, ['csv', 'jsonl', 'avro']],
  ])('%s is null in every format and does not affect other rows', async (name, time, formats) => {
    const capture = `x${name.replaceAll(/[^0-9-]/g, '')}.scap`;
    await withTimes(capture, time);
    const select = `--format jsonl "select ${columns} from sysflow order by idx"`;
    const plain = await work.run(`sfkit query fixtures/webserver.scap ${select}`);
    const whole = await work.run(`sfkit query ${capture} ${select}`);
    expect(whole.exit).toBe(0);
    const note =
      'note: 1 time outside 1970 to 2262, null in ts and endts (ts_uts and endts_uts have the numbers)\n';
    // The cache holds all tables, and the file of the event has the same time.
    expect(whole.stderr).toBe(`sfkit: ${capture}: ${note.replace('1 time', '3 times')}`);
    const rows = (text: string) => text.trim().split('\n');
    const changed = rows(whole.stdout).filter((row) => row.includes(`"ts_uts":${time},`));
    expect(changed).toHaveLength(1);
    expect(changed[0]).toContain('"ts":null,');
    // The other rows are unchanged.
    const others = new Set(rows(plain.stdout));
    expect(rows(whole.stdout).filter((row) => !others.has(row))).toEqual(changed);
    expect(rows(whole.stdout)).toHaveLength(others.size);

    for (const format of formats) {
      const { stderr, exit } = await work.run(
        `sfkit convert ${capture} -f ${format} -o x.${format}`,
      );
      expect(exit, stderr).toBe(0);
      if (format !== 'avro') expect(stderr).toContain(`  ${note}`);
    }
    for (const format of formats.filter((format) => !['csv', 'jsonl'].includes(format))) {
      const { stdout, stderr } = await work.run(`sfkit query x.${format} ${select}`);
      // A .sf file has no IPv6 flows.
      const kept = rows(whole.stdout).filter(
        (row) => format !== 'avro' || !row.includes('"res":"['),
      );
      expect(rows(stdout), `${format} ${stderr}`).toEqual(kept);
    }
    const lines = readFileSync(join(work.directory, 'x.jsonl'), 'utf8').trim().split('\n');
    expect(
      lines.filter((line) => line.includes('"ts":null')).map((line) => JSON.parse(line).type),
    ).toEqual(['FE']);
    const csv = readFileSync(join(work.directory, 'x.csv'), 'utf8');
    expect(csv).toContain(`,,${time},`);
    expect((await work.run(`sfkit events ${capture} --count`)).exit).toBe(0);
    expect((await work.run(`sfkit info ${capture}`)).exit).toBe(0);
  });
});
