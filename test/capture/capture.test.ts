import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { openCapture } from '../../src/capture/capture.js';
import { runConversion } from '../../src/convert/convert.js';
import { EntityTable } from '../../src/records/entities.js';
import type { CaptureRecord, SysFlowRecord } from '../../src/records/types.js';
import { fixtures } from '../helpers/corpus.js';
import { sysflowType, unwrap } from '../helpers/datums.js';
import { testDirectory } from '../helpers/directory.js';

const capture = join(fixtures, 'webserver.scap');
const directory = testDirectory();

async function recordsOf(path: string, options = {}): Promise<SysFlowRecord[]> {
  const records: SysFlowRecord[] = [];
  for await (const record of openCapture(path, options))
    if (record.type !== 'Ended') records.push(record);
  return records;
}

describe('openCapture', () => {
  it('returns the records of the .sf file, typed, with exact 64-bit values', async () => {
    const output = directory.path('a.sf');
    await runConversion({ input: capture, format: 'avro', shape: 'file', output });
    const type = sysflowType();
    const decoder = createReadStream(output).pipe(
      new avro.streams.BlockDecoder({ parseHook: () => type }),
    );
    const wanted: { name: string; fields: Record<string, unknown> }[] = [];
    for await (const value of decoder) wanted.push(unwrap(value));
    const records = await recordsOf(capture, { filename: 'webserver.scap' });
    const ours = records.filter(
      (record) => !(record.type === 'NetworkFlow' && record.family === 6),
    );
    expect(ours.length).toBe(wanted.length);
    ours.forEach((record, place) => {
      const { name, fields } = wanted[place] as (typeof wanted)[number];
      expect(record.type).toBe(name.replace('SFHeader', 'Header'));
      for (const [key, value] of Object.entries(record)) {
        if (typeof value === 'bigint' || typeof value === 'number')
          expect([key, value]).toEqual([key, fields[key] ?? value]);
      }
      if (record.type === 'Process') expect(record.exe).toBe(fields.exe);
      if (record.type === 'FileFlow')
        expect(record.fileOID).toBe(Buffer.from(fields.fileOID as Uint8Array).toString('hex'));
      if (record.type === 'NetworkFlow') {
        const bytes = record.sip.split('.').map(Number);
        expect(Buffer.from(bytes).readInt32LE()).toBe(fields.sip);
      }
    });
  });

  it('returns IPv6 connections, which .sf files cannot represent', async () => {
    const flows = (await recordsOf(capture)).filter(
      (record) => record.type === 'NetworkFlow' && record.family === 6,
    );
    expect(flows.length).toBeGreaterThan(0);
    for (const flow of flows) expect(flow).toMatchObject({ sip: expect.stringContaining(':') });
  });

  it('reads what it wrote', async () => {
    const output = directory.path('a.sf');
    await runConversion({ input: capture, format: 'avro', shape: 'file', output });
    const ours = (await recordsOf(capture, { filename: 'webserver.scap' })).filter(
      (record) => !(record.type === 'NetworkFlow' && record.family === 6),
    );
    expect(await recordsOf(output)).toEqual(ours);
  });

  it('returns Arrow batches of a table', async () => {
    const opened = openCapture(capture);
    let rows = 0;
    const exes = new Set<string>();
    for await (const batch of opened.batches({ table: 'network_flow', rows: 7 })) {
      expect(batch.numRows).toBeLessThanOrEqual(7);
      rows += batch.numRows;
      for (let row = 0; row < batch.numRows; row++) exes.add(batch.getChild('proc_exe')?.get(row));
    }
    expect(BigInt(rows)).toBe(opened.summary().records.NetworkFlow);
    expect([...exes].some((exe) => exe.endsWith('curl'))).toBe(true);
  });

  it('filters, and ignores the environment', async () => {
    process.env.FILE_READ_MODE = '1';
    try {
      const all = await recordsOf(capture);
      delete process.env.FILE_READ_MODE;
      expect(await recordsOf(capture)).toEqual(all);
      const contained = await recordsOf(capture, { containersOnly: true });
      expect(await recordsOf(capture, { filter: 'container.id != host' })).toEqual(contained);
      const some = await recordsOf(capture, { filter: 'proc.name = curl' });
      expect(some.length).toBeLessThan(all.length);
    } finally {
      delete process.env.FILE_READ_MODE;
    }
  });

  it('reports ended entities, so that a table of entities stays bounded', async () => {
    const long = directory.path('long.scap');
    const times = 20;
    // Each of the concatenated captures has its own processes.
    writeFileSync(long, Buffer.concat(Array.from({ length: times }, () => readFileSync(capture))));
    const largest = async (path: string, passes: (record: CaptureRecord) => boolean) => {
      const table = new EntityTable();
      let most = 0;
      for await (const record of openCapture(path)) {
        if (!passes(record)) continue;
        table.take(record);
        most = Math.max(most, table.size);
      }
      return most;
    };
    const all = () => true;
    expect(await largest(long, all)).toBeLessThan(2 * (await largest(capture, all)));
    const ended: string[] = [];
    for await (const record of openCapture(capture))
      if (record.type === 'Ended') ended.push(record.entity);
    expect(ended).toContain('process');
  });

  it('joins each event and flow with its entities, even though entities end', async () => {
    const table = new EntityTable();
    for await (const record of openCapture(capture)) {
      const joined = table.take(record);
      if (joined === undefined) continue;
      expect(joined.process).not.toBeNull();
      if ('fileOID' in joined.record) expect(joined.file1).not.toBeNull();
    }
  });

  it('ends when its signal is aborted and throws the reason', async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    let count = 0;
    const reading = (async () => {
      for await (const _ of openCapture(capture, { signal: controller.signal })) {
        count += 1;
        if (count === 3) controller.abort(reason);
      }
    })();
    await expect(reading).rejects.toBe(reason);
    const batches = openCapture(capture, { signal: AbortSignal.abort(reason) }).batches();
    await expect(batches[Symbol.asyncIterator]().next()).rejects.toBe(reason);
  });

  it('has a summary without capture info, which was not requested', async () => {
    const opened = openCapture(capture);
    for await (const _ of opened);
    expect('info' in opened.summary()).toBe(false);
  });

  it('is read once, can be abandoned, and reports errors', async () => {
    const opened = openCapture(capture);
    for await (const _ of opened) break;
    await expect(opened[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(() => openCapture(capture).summary()).toThrow('reading has not started');
    const closed = openCapture(capture);
    let count = 0;
    for await (const _ of closed) if (++count === 5) closed.close();
    expect(count).toBe(5);
    const never = openCapture(capture);
    never.close();
    for await (const _ of never) expect.unreachable();
    const wrong = openCapture(capture).batches({ table: 'flows' as never });
    await expect(wrong[Symbol.asyncIterator]().next()).rejects.toThrow("unknown table 'flows'");
    await expect(recordsOf('/nowhere.scap')).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
    await expect(recordsOf(capture, { fileOnyl: true })).rejects.toThrow("did you mean 'fileOnly'");
  });
});
