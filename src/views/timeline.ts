import type { DuckDBConnection } from '@duckdb/node-api';
import { SfkitError } from '../engine/errors.js';
import { isoTime } from '../export/values.js';

// Activity of a capture in steps of time.

/** Counts per step, as the macro timeline() names them. */
export const timelineColumns = [
  'clones',
  'execs',
  'exits',
  'file_events',
  'file_flows',
  'network_flows',
  'file_bytes_read',
  'file_bytes_written',
  'network_bytes_read',
  'network_bytes_written',
] as const;

/** Maximum steps of a timeline. */
export const maxSteps = 100_000;

const units = { us: 1n, ms: 1000n, s: 1_000_000n, m: 60_000_000n, h: 3_600_000_000n } as const;

/** Parses a step, such as 500ms, 1s, 2.5s or 1m; the result is in microseconds. */
export function parseStep(text: string): bigint {
  const [, number, fraction = '', unit] =
    /^(\d{1,9})(?:\.(\d{1,6}))?(us|ms|s|m|h)$/.exec(text) ?? [];
  if (number !== undefined && unit !== undefined) {
    const scale = units[unit as keyof typeof units];
    const step = BigInt(number) * scale + (BigInt(fraction.padEnd(6, '0')) * scale) / 1_000_000n;
    if (step > 0n) return step;
  }
  throw new SfkitError(
    'INVALID_ARGUMENT',
    `--step ${text}: expected a time with its unit (us, ms, s, m or h), such as 500ms`,
  );
}

/**
 * The smallest usual step (1, 2 or 5 times a power of ten, in microseconds) with at most `steps`
 * steps.
 */
export function usualStep(nanoseconds: bigint, steps: number): bigint {
  const least = nanoseconds / 1000n / BigInt(Math.max(1, steps)) + 1n;
  for (let power = 1n; ; power *= 10n) {
    for (const factor of [1n, 2n, 5n]) if (factor * power >= least) return factor * power;
  }
}

/** A step as --step takes it. */
export function stepText(microseconds: bigint): string {
  const unit =
    (['h', 'm', 's', 'ms', 'us'] as const).find((name) => microseconds % units[name] === 0n) ??
    'us';
  return `${microseconds / units[unit]}${unit}`;
}

/** The statement for steps of so many microseconds; steps without activity have zeros. */
export function timelineStatement(step: bigint, span: { first: bigint; last: bigint }): string {
  const count = (span.last - span.first) / 1000n / step;
  if (count > BigInt(maxSteps)) {
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `--step ${stepText(step)}: the capture has ${count} such steps, at most ${maxSteps} are possible; choose a longer one`,
    );
  }
  const interval = `to_microseconds(${step})`;
  const counts = timelineColumns.map((name) => `coalesce(${name}, 0) AS ${name}`);
  return `WITH active AS MATERIALIZED (FROM timeline(${interval})),
  steps AS (SELECT unnest(generate_series(min(start), max(start), ${interval})) AS start FROM active)
SELECT start, ${counts.join(', ')}
FROM steps LEFT JOIN active USING (start) ORDER BY start`;
}

const bars = '▁▂▃▄▅▆▇█';

/** One line of bars for each kind of activity, and a head with the time that they cover. */
export async function sparklines(
  connection: DuckDBConnection,
  sql: string,
  step: bigint,
): Promise<string> {
  const rows = (await connection.runAndReadAll(sql)).getRows() as [
    { micros: bigint },
    ...bigint[],
  ][];
  const first = rows[0];
  const last = rows.at(-1);
  if (first === undefined || last === undefined) return 'no activity\n';
  const end = isoTime((last[0].micros + step) * 1000n);
  const lines = timelineColumns.map((name, index) => {
    const values = rows.map((row) => Number(row[index + 1]));
    const most = values.reduce((greatest, value) => Math.max(greatest, value), 0);
    return `${name.padEnd(21)} ${values.map((value) => bar(value, most)).join('')}  max ${most}`;
  });
  return `${isoTime(first[0].micros * 1000n)} to ${end}, ${stepText(step)} for each bar\n${lines.join('\n')}\n`;
}

/** Zero is a blank, and everything else at least the smallest bar. */
function bar(value: number, most: number): string {
  return value === 0
    ? ' '
    : (bars[Math.max(0, Math.ceil((value / most) * bars.length) - 1)] as string);
}
