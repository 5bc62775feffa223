import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ColumnBatch } from '../../src/engine/batch.js';
import { SfkitError } from '../../src/engine/errors.js';
import { openColumns, openRecords, openRecovered, releaseBatch } from '../../src/engine/session.js';
import { fakeSession, nativeBatch } from '../helpers/batches.js';
import { fixtures } from '../helpers/corpus.js';

describe('a session', () => {
  it('returns its batches, then its summary', async () => {
    const native = fakeSession(
      [nativeBatch('process', [{ proc_pid: 7n }]), nativeBatch('pod', [{ pod_id: 'p' }])],
      {
        events: 9n,
      },
    );
    const session = openColumns({ input: 'x' }, () => native);
    const seen: unknown[] = [];
    for await (const batch of session) seen.push([batch.table, batch.rows]);
    expect(seen).toEqual([
      ['process', 1],
      ['pod', 1],
    ]);
    expect(session.summary().events).toBe(9n);
  });

  it('is closed when its reader stops early', async () => {
    let closed = 0;
    const native = {
      ...fakeSession([
        { kind: 'bytes', bytes: new Uint8Array(1) },
        { kind: 'bytes', bytes: new Uint8Array(1) },
      ]),
      close: () => void closed++,
    };
    for await (const _ of openRecovered({ input: 'x' }, () => native)) break;
    expect(closed).toBe(1);
  });

  it('converts an error of the engine to an SfkitError', async () => {
    const failure = Object.assign(new Error('x: not a capture'), { code: 'INPUT_BAD_FORMAT' });
    const native = { ...fakeSession([]), next: () => Promise.reject(failure) };
    const iterate = async () => {
      for await (const _ of openRecovered({ input: 'x' }, () => native));
    };
    await expect(iterate()).rejects.toEqual(new SfkitError('INPUT_BAD_FORMAT', 'x: not a capture'));
    await expect(iterate()).rejects.toMatchObject({ code: 'INPUT_BAD_FORMAT' });
  });
});

describe('releaseBatch', () => {
  const sessionOf = (deliveries: { tables: readonly 'sysflow'[]; files: boolean }) =>
    openRecords({ input: join(fixtures, 'webserver.scap') }, { ...deliveries, datums: false });

  it('frees the arrays of a batch of columns', async () => {
    for await (const batch of sessionOf({ tables: ['sysflow'], files: false })) {
      if (!(batch instanceof ColumnBatch)) throw new Error('no columns');
      const { strings, columns } = batch.memory;
      const arrays = [
        strings.offsets,
        strings.bytes,
        ...columns.flatMap(({ values, valid }) => (valid === null ? [values] : [values, valid])),
      ];
      expect(arrays.some(({ length }) => length === 0)).toBe(false);
      releaseBatch(batch);
      releaseBatch(batch);
      expect(arrays.every(({ length }) => length === 0)).toBe(true);
    }
  });

  it('frees the bytes of a file', async () => {
    for await (const batch of sessionOf({ tables: [], files: true })) {
      if (batch instanceof ColumnBatch || batch.kind !== 'bytes') throw new Error('no bytes');
      expect(batch.bytes.length).toBeGreaterThan(0);
      releaseBatch(batch);
      expect(batch.bytes.length).toBe(0);
    }
  });

  it('keeps datums, which may be on their way', () => {
    const batch = { kind: 'datums', bytes: Uint8Array.of(1), ends: Uint32Array.of(1) } as const;
    releaseBatch(batch);
    expect(batch.bytes.length).toBe(1);
  });
});
