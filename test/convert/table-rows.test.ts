import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { RowCursor } from '../../src/convert/table-rows.js';
import { openDatabase } from '../../src/duckdb/database.js';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

it('keeps the texts of its rows across garbage collection', async () => {
  const database = await openDatabase({ threads: 1 });
  const rows = 10_000;
  const text = (row: number) => `a text that is longer than twelve bytes: ${row}`;
  const cursor = await RowCursor.open(
    await database.connect(),
    `SELECT 'a text that is longer than twelve bytes: ' || x AS text FROM range(${rows}) t(x)`,
  );
  for (let row = 0; row < rows; row++) {
    expect(await cursor.next()).toBe(true);
    if (row % 500 === 7) {
      // Unreferenced memory is freed and reused.
      collect();
      // Node.js frees it between turns of the event loop.
      await turn();
      await turn();
      await database.connection.run("SELECT repeat('other text ', 100) || x FROM range(5000) t(x)");
    }
    if (row % 100 === 7) expect(cursor.text('text')).toBe(text(row));
  }
  expect(await cursor.next()).toBe(false);
  cursor.close();
  database.close();
});
