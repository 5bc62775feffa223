import { expect, it } from 'vitest';
import { parseSize } from '../../src/query/size.js';

it.each([
  ['0', 0],
  ['123', 123],
  ['1B', 1],
  ['512MB', 512_000_000],
  ['512mb', 512_000_000],
  ['1.5 GiB', 1_610_612_736],
  ['2TB', 2e12],
  ['1KiB', 1024],
  ['0.0001KB', 0],
])('%s is %d bytes', (text, bytes) => {
  expect(parseSize('--size', text)).toBe(bytes);
});

it.each(['', 'MB', '-1', '1e9', '1 2', '1MBs', '0x10', '1ib', '.5GB', '99999999TB'])(
  '%s is no size',
  (text) => {
    expect(() => parseSize('--size', text)).toThrow(`--size: '${text}' is not a size`);
  },
);
