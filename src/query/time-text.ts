import { isoTime } from '../export/values.js';

// Times as text: ISO 8601 in UTC for the years 1 to 9999; other years and infinity as DuckDB writes
// and reads them.

/** Nanoseconds in a unit of time. */
export const nanosecondsIn = { s: 1_000_000_000n, ms: 1_000_000n, us: 1000n, ns: 1n } as const;
export type TimeUnit = keyof typeof nanosecondsIn;

const decimals: Record<TimeUnit, number> = { s: 0, ms: 3, us: 6, ns: 9 };

const infinity64 = 2n ** 63n - 1n;
const infinity32 = 2 ** 31 - 1;

const secondsInDay = 86_400n;
/** Days in 400 years, after which the calendar repeats. */
const daysInCycle = 146_097;

/** 0001-01-01 and 10000-01-01, in seconds since 1970. */
const [firstSecond, endSecond] = [-62_135_596_800n, 253_402_300_800n];

export function timestampText(value: bigint, unit: TimeUnit, hasZone: boolean): string {
  if (value === infinity64 || value === -infinity64) return infinityText(value < 0n);
  const perSecond = nanosecondsIn.s / nanosecondsIn[unit];
  const rest = floorModulo(value, perSecond);
  const second = (value - rest) / perSecond;
  if (second >= firstSecond && second < endSecond) {
    const text = isoTime(value * nanosecondsIn[unit]);
    return unit === 's' ? `${text.slice(0, 19)}Z` : `${text.slice(0, 20 + decimals[unit])}Z`;
  }
  const ofDay = floorModulo(second, secondsInDay);
  const date = dateText(Number((second - ofDay) / secondsInDay));
  return `${date} ${timeText(ofDay * perSecond + rest, unit)}${hasZone ? '+00' : ''}`;
}

/** Days since 1970 as a date. */
export function dateText(days: number): string {
  if (days === infinity32 || days === -infinity32) return infinityText(days < 0);
  const cycles = Math.floor(days / daysInCycle);
  const within = new Date((days - cycles * daysInCycle) * 86_400_000);
  const year = within.getUTCFullYear() + cycles * 400;
  const digits = String(year > 0 ? year : 1 - year).padStart(4, '0');
  return `${digits}-${within.toISOString().slice(5, 10)}${year > 0 ? '' : ' (BC)'}`;
}

/** A time of day, without trailing zeros of the fraction. */
export function timeText(value: bigint, unit: TimeUnit): string {
  const perSecond = nanosecondsIn.s / nanosecondsIn[unit];
  const second = value / perSecond;
  const fraction =
    decimals[unit] === 0 ? '' : (value % perSecond).toString().padStart(decimals[unit], '0');
  const shown = fraction.replace(/0+$/, '');
  const parts = [second / 3600n, (second / 60n) % 60n, second % 60n].map((part) =>
    part.toString().padStart(2, '0'),
  );
  return parts.join(':') + (shown === '' ? '' : `.${shown}`);
}

const infinityText = (isNegative: boolean): string => (isNegative ? '-infinity' : 'infinity');

function floorModulo(value: bigint, by: bigint): bigint {
  const rest = value % by;
  return rest < 0n ? rest + by : rest;
}
