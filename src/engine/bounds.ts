import { SfkitError } from './errors.js';
import type { NativeBound } from './native.js';

/** A position in a capture, in the form that an engine session takes. */
export type Bound = NativeBound;

const largest = 2n ** 64n - 1n;
const nanosecondsPerMillisecond = 1_000_000n;

/**
 * Parses a position in a capture: an event number (`120`), a time in UTC (`2026-03-02T10:00:01.5`,
 * optionally with `Z` or an offset), or seconds from the first system call (`+1.5`). Error messages
 * name the option `name`.
 */
export function parseBound(name: string, text: string): Bound {
  const bound = eventNumber(text) ?? secondsFromStart(text) ?? time(text);
  if (bound === undefined || bound.value > largest) {
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `${name} '${text}': expected an event number (120), a time in UTC (2026-03-02T10:00:01.5) or seconds from the first system call (+1.5)`,
    );
  }
  return bound;
}

function eventNumber(text: string): Bound | undefined {
  return /^\d+$/.test(text) ? { kind: 'number', value: BigInt(text) } : undefined;
}

function secondsFromStart(text: string): Bound | undefined {
  const match = /^\+(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (match === null) return undefined;
  return {
    kind: 'relative',
    value: BigInt(match[1] as string) * 1_000_000_000n + fraction(match[2]),
  };
}

function time(text: string): Bound | undefined {
  const match =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?$/.exec(
      text,
    );
  if (match === null) return undefined;
  const [, date, minutes = '00:00', seconds = '00', part, zone = 'Z'] = match;
  const milliseconds = Date.parse(`${date}T${minutes}:${seconds}${zone}`);
  if (Number.isNaN(milliseconds) || milliseconds < 0) return undefined;
  return { kind: 'time', value: BigInt(milliseconds) * nanosecondsPerMillisecond + fraction(part) };
}

/** Decimal digits of a second, as nanoseconds. */
function fraction(digits: string | undefined): bigint {
  return BigInt((digits ?? '').padEnd(9, '0'));
}
