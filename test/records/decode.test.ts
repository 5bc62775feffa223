import { describe, expect, it } from 'vitest';
import { decodeBatch } from '../../src/records/decode.js';

describe('a batch of datums', () => {
  it('decodes ended entities, as written by native/src/output/datum_sink_test.cpp', () => {
    const batch = {
      kind: 'datums' as const,
      bytes: Buffer.from('1a02031c1e046331', 'hex'),
      ends: Uint32Array.of(3, 4, 8),
    };
    expect([...decodeBatch(batch)]).toEqual([
      { ended: { type: 'Ended', entity: 'process', oid: { createTS: 1n, hpid: -2n } } },
      { ended: { type: 'Ended', entity: 'files' } },
      { ended: { type: 'Ended', entity: 'container', id: 'c1' } },
    ]);
  });
});
