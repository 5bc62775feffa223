import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Field, Int32, List, makeData, Table, tableFromArrays, tableToIPC, Vector } from 'apache-arrow';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SfkitError } from '../../src/engine/errors.js';
import { openDatabase } from '../../src/export/duckdb.js';
import { loadArrow } from '../../src/query/arrow-input.js';

let directory: string;
let database: Awaited<ReturnType<typeof openDatabase>>;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-arrow-'));
  database = await openDatabase();
});
afterAll(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

async function rows(bytes: Uint8Array): Promise<unknown[][]> {
  const path = join(directory, 'header.arrow');
  writeFileSync(path, bytes);
  await database.connection.run('DROP TABLE IF EXISTS sfkit_input.t').catch(() => {});
  const { from } = await loadArrow(database.connection, path, 't', 'header', () => true);
  return (await database.connection.runAndReadAll(`SELECT * FROM ${from}`)).getRows();
}

it('reads files and streams with columns of its own', async () => {
  const table = tableFromArrays({ node_id: ['a', 'b', 'a'], extra: Int32Array.of(1, 2, 3) });
  for (const form of ['file', 'stream'] as const) {
    expect(await rows(tableToIPC(table, form))).toEqual([
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ]);
  }
});

it('refuses lists that begin before their values', async () => {
  const type = new List(new Field('item', new Int32(), false));
  const child = makeData({ type: new Int32(), length: 1, data: Int32Array.of(7) });
  const valueOffsets = Int32Array.of(-16_777_216, 1);
  const data = makeData({ type, length: 1, nullCount: 0, valueOffsets, child });
  const bytes = tableToIPC(new Table({ x: new Vector([data]) }), 'stream');
  await expect(rows(bytes)).rejects.toThrow(/not a readable Arrow file: /);
});

it('reads or refuses a small file with any byte changed', async () => {
  const bytes = tableToIPC(tableFromArrays({ node_id: ['a', 'b'] }), 'stream');
  for (let place = 0; place < bytes.length; place += 3) {
    const changed = Uint8Array.from(bytes);
    changed[place] = 0xff;
    await rows(changed).catch((error) => expect(error).toBeInstanceOf(SfkitError));
  }
}, 60_000);
