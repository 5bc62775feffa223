import { expect, it } from 'vitest';
import type { SfRecord } from '../helpers/sf.js';
import { compare } from './compare.js';

const flow = (tid: number, endTs: bigint, rest = {}): SfRecord => ({
  type: 'FileFlow',
  fields: { ts: 1n, tid, fd: 3, fileOID: Buffer.from('a'), opFlags: 0x800, endTs, ...rest },
});
const header = (filename: string): SfRecord => ({
  type: 'SFHeader',
  fields: { version: 5n, filename },
});

it('ignores differences in the header name and in the order of flows closed at one moment', () => {
  expect(
    compare([header('a'), flow(1, 9n), flow(2, 9n)], [header('b'), flow(2, 9n), flow(1, 9n)]),
  ).toEqual({});
});

it('reports another order of flows closed at different moments', () => {
  expect(compare([flow(1, 8n), flow(2, 9n)], [flow(2, 9n), flow(1, 8n)])).toEqual({
    order: 'differs',
  });
});

it('counts missing and extra records and differing fields', () => {
  expect(
    compare(
      [flow(1, 8n), flow(2, 9n), flow(2, 9n)],
      [flow(1, 9n, { opFlags: 0 }), flow(2, 9n), flow(7, 9n, { fd: 4 }), flow(8, 1n, { fd: 5 })],
    ),
  ).toEqual({
    FileFlow: { missing: 1, extra: 2, fields: { endTs: 1, opFlags: 1 } },
  });
});
