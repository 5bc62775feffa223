import { describe, expect, it } from 'vitest';
import { SfkitError } from '../../src/engine/errors.js';
import { openColumns, openRecovered } from '../../src/engine/session.js';
import { fakeSession, nativeBatch } from '../helpers/batches.js';

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
