import { type DuckDBConnection, DuckDBDataChunk, type DuckDBType, ENUM } from '@duckdb/node-api';
import bindings from '@duckdb/node-bindings';
import {
  CompressionType,
  compressionRegistry,
  type Data,
  DataType,
  type Dictionary,
  type RecordBatch,
  RecordBatchReader,
  type Schema,
  type Vector,
} from 'apache-arrow';
import { decompress as zstdDecompress } from 'fzstd';
import { type TableName, tableColumns } from '../engine/columns.gen.js';
import { SfkitError } from '../engine/errors.js';
import { quoteIdentifier } from '../export/duckdb.js';
import { type ArrowFrames, openFrames } from './arrow-frames.js';
import { cellsOf, dictionaryValues, duckType, indexesOf, memberNames, type TextBudget } from './arrow-values.js';
import { lz4Decompress } from './lz4.js';
import { guessTable } from './sources.js';

/** Rows of a DuckDB vector. */
const vectorSize = 2048;

/** A column of at most so many distinct texts holds numbers of them; more are better held as they are. */
const maxMembers = 65_535;

/** Where the tables are, with the columns that their files have. */
const inputSchema = 'sfkit_input';

/**
 * Loads an Arrow file or stream into a new table and says which table of records it is, if it is one; the rows only of
 * one that is wanted. The file is read twice: its dictionaries, then its rows batch by batch.
 */
export async function loadArrow(
  connection: DuckDBConnection,
  path: string,
  name: string,
  named: TableName | undefined,
  isWanted: (table: TableName) => boolean,
): Promise<{ table: TableName | undefined; from: string }> {
  const problem = (reason: string) =>
    new SfkitError('INPUT_BAD_FORMAT', `${path}: not a readable Arrow file: ${reason.split('\n', 1)[0]}`);
  const frames = openFrames(path, problem);
  const budget = { left: frames.maxText };
  try {
    const { schema, texts } = readDictionaries(frames, budget);
    const said = schema.metadata.get('sfkit.table');
    const table =
      said !== undefined && Object.hasOwn(tableColumns, said)
        ? (said as TableName)
        : (named ?? guessTable(new Set(schema.fields.map(({ name }) => name.toLowerCase()))));
    const columns = columnsOf(schema, texts);
    const from = await createTable(connection, name, columns);
    if (table !== undefined && !isWanted(table)) return { table, from };
    const appender = await connection.createAppender(name, inputSchema);
    const chunk = DuckDBDataChunk.create(columns.map(({ type }) => type));
    for (const batch of readBatches(frames)) {
      const fill = columns.map((column, index) => column.filler(batch.data.children[index] as Data, budget));
      for (let start = 0; start < batch.numRows; start += vectorSize) {
        const rows = Math.min(vectorSize, batch.numRows - start);
        chunk.reset();
        chunk.rowCount = rows;
        for (const [index, put] of fill.entries()) put(chunk, index, start, rows);
        appender.appendDataChunk(chunk);
      }
      appender.flushSync();
    }
    appender.closeSync();
    return { table, from };
  } catch (error) {
    if (error instanceof SfkitError) throw error;
    throw problem((error as Error).message);
  } finally {
    frames.close();
  }
}

interface LoadedColumn {
  name: string;
  type: DuckDBType;
  /** What puts rows of a batch's data into a chunk. */
  filler(data: Data, budget: TextBudget): (chunk: DuckDBDataChunk, index: number, start: number, rows: number) => void;
}

/** The distinct texts of each dictionary of text, of all its versions, with their numbers. */
type Texts = ReadonlyMap<number, ReadonlyMap<string, number>>;

function readDictionaries(frames: ArrowFrames, budget: TextBudget): { schema: Schema; texts: Texts } {
  const texts = new Map<number, Map<string, number>>();
  const seen = new WeakMap<Vector['data'][number], number>();
  let reader: RecordBatchReader | undefined;
  const messages = function* () {
    for (const { kind, bytes } of frames.read()) {
      if (kind === 'batch') continue;
      yield bytes;
      // The library asks for more when it has read what it got.
      for (const [id, dictionary] of reader?.dictionaries ?? []) {
        const [first] = dictionary.data;
        if (first === undefined || !isText(dictionary.type)) continue;
        const members = texts.get(id) ?? new Map<string, number>();
        texts.set(id, members);
        const values = dictionaryValues(dictionary, budget);
        for (let index = seen.get(first) ?? 0; index < values.length; index++) {
          const text = values[index];
          if (typeof text === 'string' && !members.has(text)) members.set(text, members.size);
        }
        seen.set(first, values.length);
      }
    }
  };
  reader = RecordBatchReader.from(messages());
  reader.open({ autoDestroy: false });
  const { schema } = reader;
  for (const _ of reader);
  return { schema, texts };
}

function* readBatches(frames: ArrowFrames): Generator<RecordBatch> {
  const messages = function* () {
    for (const { bytes } of frames.read()) yield bytes;
  };
  for (const batch of RecordBatchReader.from(messages())) if (batch.numRows > 0) yield batch;
}

function isText(type: DataType): boolean {
  return DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type);
}

function columnsOf(schema: Schema, texts: Texts): LoadedColumn[] {
  const names = memberNames(schema.fields);
  return schema.fields.map(({ type }, index) => {
    const name = names[index] as string;
    const members = DataType.isDictionary(type) ? texts.get((type as Dictionary).id) : undefined;
    // DuckDB takes the names of members up to a NUL.
    const isEnum =
      members !== undefined &&
      members.size > 0 &&
      members.size <= maxMembers &&
      ![...members.keys()].some((text) => text.includes('\0'));
    return isEnum ? enumColumn(name, members) : valueColumn(name, type);
  });
}

function valueColumn(name: string, type: DataType): LoadedColumn {
  return {
    name,
    type: duckType(type),
    filler(data, budget) {
      const cell = cellsOf(data, budget);
      return (chunk, index, start, rows) => {
        const vector = chunk.getColumnVector(index);
        for (let row = 0; row < rows; row++) vector.setItem(row, cell(start + row));
        vector.flush();
      };
    },
  };
}

/** Texts of a dictionary: each is held once, and rows hold its number, as many bytes as DuckDB gives it. */
function enumColumn(name: string, members: ReadonlyMap<string, number>): LoadedColumn {
  const Numbers = members.size <= 0xff ? Uint8Array : members.size <= 0xffff ? Uint16Array : Uint32Array;
  return {
    name,
    type: ENUM([...members.keys()]),
    filler(data, budget) {
      const values = dictionaryValues(data.dictionary as Vector, budget);
      const numbers = values.map((text) => (typeof text === 'string' ? (members.get(text) as number) : -1));
      const place = indexesOf(data, values.length);
      return (chunk, index, start, rows) => {
        const items = new Numbers(rows);
        const valid = new Uint8Array(Math.ceil(rows / 64) * 8);
        for (let row = 0; row < rows; row++) {
          const number = data.getValid(start + row) ? (numbers[place(start + row)] as number) : -1;
          if (number < 0) continue;
          items[row] = number;
          valid[row >> 3] = (valid[row >> 3] as number) | (1 << (row & 7));
        }
        const vector = bindings.data_chunk_get_vector(chunk.chunk, index);
        bindings.copy_data_to_vector(vector, 0, items.buffer, 0, items.byteLength);
        bindings.vector_ensure_validity_writable(vector);
        bindings.copy_data_to_vector_validity(vector, 0, valid.buffer, 0, valid.byteLength);
      };
    },
  };
}

async function createTable(
  connection: DuckDBConnection,
  name: string,
  columns: readonly LoadedColumn[],
): Promise<string> {
  if (columns.length === 0) throw new Error('it has no columns');
  const table = `${inputSchema}.${quoteIdentifier(name)}`;
  const list = columns.map((column) => `${quoteIdentifier(column.name)} ${column.type.toString()}`);
  await connection.run(`CREATE SCHEMA IF NOT EXISTS ${inputSchema}`);
  await connection.run(`CREATE TABLE ${table} (${list.join(', ')})`);
  return table;
}

/** The size that was announced stands before the bytes; openFrames() has checked it. */
function announcedSize(bytes: Uint8Array): number {
  return Number(Buffer.from(bytes.buffer, bytes.byteOffset - 8, 8).readBigInt64LE(0));
}

compressionRegistry.set(CompressionType.LZ4_FRAME, {
  decode: (bytes) => lz4Decompress(bytes, announcedSize(bytes)),
});
compressionRegistry.set(CompressionType.ZSTD, {
  // Into a buffer of that size: it writes nothing past its end.
  decode: (bytes) => zstdDecompress(bytes, new Uint8Array(announcedSize(bytes))),
});
