import { describe, expect, it } from 'vitest';
import { durationOf, filterOf, liveConfigOf, runtimesOf } from '../../src/cli/live-flags.js';
import { topText } from '../../src/cli/top.js';
import { reasonCount } from '../../src/engine/reasons.js';
import { rotationDirectory } from '../../src/export/outputs.js';
import { planLive, planLiveOutputs } from '../../src/live/plan.js';
import { emptySummary } from '../helpers/batches.js';

describe('the flags of a live capture', () => {
  it.each([
    ['90', 90_000],
    ['90s', 90_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
  ])('%s is a time', (text, milliseconds) => {
    expect(durationOf('duration', text)).toBe(milliseconds);
  });

  it.each(['', '0', 'x', '-1', '1y', '99999999d'])('%j is none', (text) => {
    expect(() => durationOf('duration', text)).toThrow(/--duration .*: expected a time/);
  });

  it.each(['0', '0s', '00m'])('--cri-timeout %s: ask once', (text) => {
    expect(runtimesOf({ 'cri-timeout': text })).toEqual({ criPath: undefined, timeout: 0 });
  });

  it('--cri-timeout is a time otherwise', () => {
    expect(runtimesOf({ 'cri-timeout': '1.5m' }).timeout).toBe(90);
    expect(() => runtimesOf({ 'cri-timeout': '0x' })).toThrow(/--cri-timeout 0x: expected a time/);
  });

  const flags = {
    'all-syscalls': false,
    snaplen: 0,
    sampling: 1,
    'buffer-size': '8M',
    'cpus-per-buffer': 1,
  };
  it.each([
    ['4096', 4096],
    ['64K', 65_536],
    ['8M', 8_388_608],
    ['256MiB', 268_435_456],
  ])('%s is a buffer size', (text, bytes) => {
    expect(liveConfigOf({ ...flags, 'buffer-size': text }).ringBytes).toBe(bytes);
  });

  it.each(['3M', '1K', '512M', 'big', ''])('%j is none', (text) => {
    expect(() => liveConfigOf({ ...flags, 'buffer-size': text })).toThrow(
      /a power of two from 4K to 256M/,
    );
  });

  it('--pid, --comm and --container become parts of the filter', () => {
    expect(filterOf({})).toBeUndefined();
    expect(filterOf({ filter: 'fd.port = 443' })).toBe('fd.port = 443');
    expect(
      filterOf({ pid: [1, 2], comm: ['a "b"'], filter: 'evt.failed = true or fd.num = 1' }),
    ).toBe(
      'proc.pid in (1, 2) and proc.name in ("a \\"b\\"") and (evt.failed = true or fd.num = 1)',
    );
    expect(filterOf({ container: ['0123456789abcdef', 'db'] })).toBe(
      '(container.id = "0123456789ab" or container.name = "0123456789abcdef" or container.name = "db")',
    );
  });
});

describe('program names', () => {
  it('are truncated as in the kernel', () => {
    expect(filterOf({ comm: ['averyveryverylongname'] })).toBe(
      'proc.name startswith "averyveryverylo"',
    );
    expect(filterOf({ comm: ['a', 'aaaaaaaaaaaaaa\u00e9', 'b'] })).toBe(
      '(proc.name in ("a", "b") or proc.name startswith "aaaaaaaaaaaaaa")',
    );
  });
});

describe('the plan of a live capture', () => {
  it('is JSON Lines on standard output by default', () => {
    expect(planLive(undefined, undefined, 0)).toMatchObject({
      format: 'jsonl',
      shape: 'stdout',
      output: '-',
    });
    expect(planLive(undefined, '-')).toMatchObject({ format: 'jsonl', shape: 'stdout' });
    expect(planLive('avro', undefined, 0)).toMatchObject({ format: 'avro', shape: 'stdout' });
    expect(planLive(undefined, 'x.sf', 60)).toMatchObject({
      format: 'avro',
      shape: 'file',
      rotate: 60,
    });
    expect(planLive(undefined, 'tables/', 60)).toMatchObject({
      format: 'parquet',
      shape: 'directory',
    });
  });

  it('rotates only SysFlow files and directories of tables', () => {
    expect(() => planLive(undefined, undefined, 60)).toThrow(/standard output cannot be rotated/);
    expect(() => planLive(undefined, 'x.parquet', 60)).toThrow(/--rotate needs a directory/);
    expect(rotationDirectory('tables/', 1_700_000_000)).toBe('tables/20231114T221320Z');
  });
});

describe('the plan of several outputs of a live capture', () => {
  const outputs = (...wanted: [format: 'avro' | 'csv' | 'jsonl' | undefined, output: string][]) =>
    planLiveOutputs(
      wanted.map(([format, output]) => ({ format, output })),
      0,
    );

  it('has each with its format', () => {
    expect(outputs([undefined, 'x.sf'], [undefined, 't/'], ['jsonl', '-'])).toMatchObject([
      { format: 'avro', shape: 'file' },
      { format: 'parquet', shape: 'directory' },
      { format: 'jsonl', shape: 'stdout' },
    ]);
  });

  it('rejects the same output twice, and two SysFlow files', () => {
    expect(() => outputs([undefined, 'x.csv'], [undefined, './x.csv'])).toThrow(
      /x\.csv is named twice/,
    );
    expect(() => outputs(['csv', '-'], ['jsonl', '-'])).toThrow(/standard output takes one output/);
    expect(() => outputs([undefined, 'x.sf'], ['avro', 't/'])).toThrow(
      /one SysFlow output at a time/,
    );
  });
});

describe('the live table', () => {
  it('shows the busiest with readable numbers and without control characters', () => {
    const rows = [
      { kind: 'process', name: 'nginx (7)', calls: 1234n, read: 2048n, written: 5n * 1024n ** 3n },
      { kind: 'file', name: '/tmp/\x1b[31mred', calls: 1n, read: 0n, written: 0n },
      { kind: 'connection', name: '127.0.0.1:1 -> 127.0.0.1:2', calls: 2n, read: 1n, written: 0n },
    ] as const;
    const live = {
      ...emptySummary.live,
      events: 10n,
      gaps: [{ ...reasonCount('buffers-full', 3n), isLoss: true }],
    };
    const text = topText(rows, { ...emptySummary, live }, 80);
    expect(text).toContain('10 events, 3 lost');
    expect(text).toMatch(/nginx \(7\) .*1,234 .*2\.0 KiB .*5\.0 GiB/);
    expect(text).toContain('127.0.0.1:1 -> 127.0.0.1:2');
    expect(text).not.toContain('\x1b');
    for (const columns of [40, 59, 60, 80, 200]) {
      const lines = topText(rows, { ...emptySummary, live }, columns).split('\n');
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    }
  });

  it.each([24, 50, 12])('fits a terminal of %i lines', (lines) => {
    const rows = ['process', 'file', 'connection'].flatMap((kind) =>
      Array.from({ length: 8 }, (_, i) => ({
        kind,
        name: `${kind} ${i}`,
        calls: 1n,
        read: 0n,
        written: 0n,
      })),
    );
    const text = topText(rows as never, emptySummary, 80, lines);
    expect(text.split('\n').length).toBeLessThanOrEqual(Math.max(lines, 15));
    for (const kind of ['process', 'file', 'connection']) expect(text).toContain(`${kind} 0`);
    expect(text.includes('connection 7')).toBe(lines === 50);
  });
});
