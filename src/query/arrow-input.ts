import { createReadStream } from 'node:fs';
import { type RecordBatch, RecordBatchReader } from 'apache-arrow';
import { ColumnBatch } from '../engine/batch.js';
import { type TableColumn, type TableName, tableColumns } from '../engine/columns.gen.js';
import { SfkitError } from '../engine/errors.js';
import type { NativeColumn } from '../engine/native.js';

/** The batches of an Arrow file or stream as the engine would give them. */
export async function* readArrow(path: string, named: TableName | undefined): AsyncGenerator<ColumnBatch> {
  const problem = (reason: string) => new SfkitError('INPUT_BAD_FORMAT', `${path}: ${reason}`);
  try {
    const reader = await RecordBatchReader.from(createReadStream(path));
    await reader.open();
    const table = (reader.schema.metadata.get('sfkit.table') as TableName | undefined) ?? named;
    if (table === undefined || !(table in tableColumns)) {
      throw problem('an Arrow file of no known table; name it after one, like network_flow.arrow');
    }
    for await (const batch of reader) {
      if (batch.numRows > 0) yield toColumnBatch(batch, table);
    }
  } catch (error) {
    if (error instanceof SfkitError) throw error;
    throw problem(`not a readable Arrow file: ${(error as Error).message.split('\n', 1)[0]}`);
  }
}

function toColumnBatch(batch: RecordBatch, table: TableName): ColumnBatch {
  const strings = new StringTable();
  const columns = tableColumns[table]
    .filter((column) => !column.derived)
    .map((column) => toColumn(batch, column, strings));
  return new ColumnBatch({
    kind: 'columns',
    file: 0,
    begins: 0,
    table,
    rows: batch.numRows,
    strings: strings.encode(),
    columns,
  });
}

function toColumn(batch: RecordBatch, column: TableColumn, strings: StringTable): NativeColumn {
  const rows = batch.numRows;
  const vector = batch.getChild(column.name);
  const valid = new Uint8Array(Math.ceil(rows / 8));
  const values = emptyValues(column.type, rows);
  for (let row = 0; row < rows; row++) {
    const value = vector?.get(row) ?? null;
    if (value === null) continue;
    valid[row >> 3] = (valid[row >> 3] as number) | (1 << (row & 7));
    values[row] = (
      column.type === 'str' ? strings.indexOf(String(value)) : column.type === 'i64' ? BigInt(value) : Number(value)
    ) as never;
  }
  return { values, valid };
}

function emptyValues(type: TableColumn['type'], rows: number): NativeColumn['values'] {
  switch (type) {
    case 'str':
      return new Uint32Array(rows);
    case 'i64':
      return new BigInt64Array(rows);
    case 'bool':
      return new Uint8Array(rows);
    default:
      return new Int32Array(rows);
  }
}

class StringTable {
  readonly #indexes = new Map<string, number>();

  indexOf(text: string): number {
    const found = this.#indexes.get(text);
    if (found !== undefined) return found;
    const index = this.#indexes.size;
    this.#indexes.set(text, index);
    return index;
  }

  encode(): { offsets: Uint32Array; bytes: Uint8Array } {
    const encoded = [...this.#indexes.keys()].map((text) => Buffer.from(text));
    const offsets = new Uint32Array(encoded.length + 1);
    encoded.forEach((text, index) => {
      offsets[index + 1] = (offsets[index] as number) + text.byteLength;
    });
    return { offsets, bytes: new Uint8Array(Buffer.concat(encoded)) };
  }
}
