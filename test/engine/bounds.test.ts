import { expect, it } from 'vitest';
import { parseBound } from '../../src/engine/bounds.js';

it.each([
  ['120', { kind: 'number', value: 120n }],
  ['+1.5', { kind: 'relative', value: 1_500_000_000n }],
  ['+0', { kind: 'relative', value: 0n }],
  ['1970-01-01', { kind: 'time', value: 0n }],
  ['1970-01-02T00:00', { kind: 'time', value: 86_400_000_000_000n }],
  ['1970-01-01 00:00:01.000000001', { kind: 'time', value: 1_000_000_001n }],
  ['1970-01-01T01:00:01.5+01:00', { kind: 'time', value: 1_500_000_000n }],
  ['2026-03-02T10:00:01.123456789Z', { kind: 'time', value: 1_772_445_601_123_456_789n }],
])('reads %s', (text, bound) => {
  expect(parseBound('--from', text)).toEqual(bound);
});

it.each([
  '',
  'yesterday',
  '-1',
  '+',
  '+1.',
  '1.5',
  '2026-13-01',
  '2026-03-02T10',
  '99999999999999999999999',
])('rejects %j and names the expected forms', (text) => {
  expect(() => parseBound('--from', text)).toThrow(
    `--from '${text}': expected an event number (120), a time in UTC (2026-03-02T10:00:01.5) or seconds from the first system call (+1.5)`,
  );
});
