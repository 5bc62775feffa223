import {
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  type DuckDBValue,
  ENUM,
} from '@duckdb/node-api';
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
import { enumNumbers, escapeNul, hasNul, unescapeNulSql, vectorSize } from '../duckdb/rows.js';
import { quoteIdentifier } from '../duckdb/sql-text.js';
import { type TableName, tables } from '../engine/columns.gen.js';
import { SfkitError } from '../engine/errors.js';
import { type ArrowFrames, openFrames } from './arrow-frames.js';
import { duckType, isText, memberNames } from './arrow-types.js';
import { cellsOf, indexesOf, partOf, placesIn, type Reading } from './arrow-values.js';
import { lz4Decompress } from './lz4.js';
import { guessTable } from './sources.js';
import { zstdDecompress } from './zstd.js';

/** Maximum number of distinct texts in a column that is stored as ENUM. */
const maxMembers = 65_535;

/** Maximum length of these texts in all columns together, in characters. */
const maxMemberText = 64 * 2 ** 20;

/** Maximum memory of the values of a chunk, and of a single row, in bytes. */
const chunkBytes = 16 * 2 ** 20;
const maxRowBytes = 512 * 2 ** 20;

/** Rows or bytes after which the appender flushes. */
const flushRows = 122_880;
const flushBytes = 64 * 2 ** 20;

/** Schema of the loaded tables, with the columns of their files. */
const inputSchema = 'sfkit_input';

/**
 * Loads an Arrow file or stream into a new table, and determines which table of records it is, if
 * any. It loads only rows of wanted tables. It reads the file twice: first the dictionaries, then
 * the rows batch by batch.
 */
export async function loadArrow(
  connection: DuckDBConnection,
  path: string,
  name: string,
  named: TableName | undefined,
  isWanted: (table: TableName) => boolean,
): Promise<{ table: TableName | undefined; from: string }> {
  const problem = (reason: string) =>
    new SfkitError(
      'INPUT_BAD_FORMAT',
      `${path}: not a readable Arrow file: ${reason.split('\n', 1)[0]}`,
    );
  const frames = openFrames(path, problem);
  const reading: Reading = {
    left: frames.maxText,
    dictionaries: new WeakMap(),
    parts: new WeakMap(),
  };
  try {
    const { schema, texts } = readDictionaries(frames, reading);
    const stored = schema.metadata.get('sfkit.table');
    const table =
      stored !== undefined && tables.some((spec) => spec.name === stored)
        ? (stored as TableName)
        : (named ?? guessTable(new Set(schema.fields.map(({ name }) => name.toLowerCase()))));
    const columns = columnsOf(schema, texts);
    const from = await createTable(connection, name, columns);
    if (table !== undefined && !isWanted(table)) return { table, from };
    await appendRows(connection, name, columns, frames, reading);
    return { table, from };
  } catch (error) {
    if (error instanceof SfkitError) throw error;
    throw problem((error as Error).message);
  } finally {
    frames.close();
  }
}

async function appendRows(
  connection: DuckDBConnection,
  table: string,
  columns: readonly LoadedColumn[],
  frames: ArrowFrames,
  reading: Reading,
): Promise<void> {
  const appender = await connection.createAppender(table, inputSchema);
  const chunk = DuckDBDataChunk.create(columns.map(({ type }) => type));
  const writers = columns.map((column) => column.writer(reading));
  /** Rows and bytes in the chunk, and rows and bytes pending in the appender. */
  const held = { rows: 0, bytes: 0 };
  const pending = { rows: 0, bytes: 0 };
  const emit = () => {
    if (held.rows === 0) return;
    chunk.reset();
    chunk.rowCount = held.rows;
    for (const [index, writer] of writers.entries()) writer.put(chunk, index, held.rows);
    appender.appendDataChunk(chunk);
    pending.rows += held.rows;
    pending.bytes += held.bytes;
    held.rows = 0;
    held.bytes = 0;
    // A flush costs as much as thousands of rows.
    if (pending.rows < flushRows && pending.bytes < flushBytes) return;
    appender.flushSync();
    pending.rows = 0;
    pending.bytes = 0;
  };
  for (const batch of readBatches(frames)) {
    const sources = writers.map((writer, index) => writer.open(batch.data.children[index] as Data));
    for (let start = 0; start < batch.numRows; ) {
      const { rows, bytes } = fitting(
        sources,
        start,
        Math.min(vectorSize - held.rows, batch.numRows - start),
      );
      if (held.bytes + bytes > chunkBytes) emit();
      for (const { take } of sources) take(start, rows, held.rows);
      start += rows;
      held.rows += rows;
      held.bytes += bytes;
      if (held.rows === vectorSize) emit();
    }
  }
  emit();
  appender.closeSync();
}

/** The number of rows, at most `maxRows`, that fit into a chunk, and the bytes of their values. */
function fitting(
  sources: readonly RowSource[],
  start: number,
  maxRows: number,
): { rows: number; bytes: number } {
  for (let rows = maxRows; ; rows = (rows + 1) >> 1) {
    const bytes = sources.reduce((sum, source) => sum + source.bytes(start, start + rows), 0);
    if (bytes <= chunkBytes || (rows === 1 && bytes <= maxRowBytes)) return { rows, bytes };
    if (rows === 1) throw new Error(`row ${start} of a batch takes more than ${maxRowBytes} bytes`);
  }
}

/** The rows of a column in one batch. */
interface RowSource {
  /** Copies rows; the first becomes row `at` of the chunk. */
  take(start: number, rows: number, at: number): void;
  /** Approximate memory of the values of rows, in bytes. */
  bytes(start: number, end: number): number;
}

/** Fills one column of the chunks. A chunk can take rows of several batches. */
interface ColumnWriter {
  open(data: Data): RowSource;
  /** Writes the copied rows into a chunk. */
  put(chunk: DuckDBDataChunk, index: number, rows: number): void;
}

interface LoadedColumn {
  name: string;
  type: DuckDBType;
  /** SQL for its values; VARCHAR for a column stored as ENUM. */
  sql: string;
  writer(reading: Reading): ColumnWriter;
}

/**
 * The distinct texts, with numbers, of all versions of each text dictionary. Dictionaries with too
 * many texts are absent.
 */
type Texts = ReadonlyMap<number, ReadonlyMap<string, number>>;

/** Reads the schema and the text dictionaries that batches use. */
function readDictionaries(frames: ArrowFrames, reading: Reading): { schema: Schema; texts: Texts } {
  let isNew = false;
  const messages = function* () {
    for (const { kind, bytes } of frames.read()) {
      // A batch shows the dictionaries that are valid for it. Skip it if they have not changed.
      if (kind !== 'batch' || isNew) yield bytes;
      if (kind !== 'schema') isNew = kind === 'dictionary';
    }
  };
  const reader = RecordBatchReader.from(messages());
  reader.open({ autoDestroy: false });
  const { schema } = reader;
  const texts = new Map<number, Map<string, number>>();
  const columns = schema.fields.flatMap(({ type }, index) => {
    if (!DataType.isDictionary(type) || !isText(type.dictionary)) return [];
    texts.set(type.id, new Map());
    return [{ index, id: type.id }];
  });
  if (columns.length === 0) return { schema, texts };
  const seen = new WeakSet<Data>();
  let left = maxMemberText;
  for (const batch of reader) {
    for (const { index, id } of columns) {
      const parts = batch.data.children[index]?.dictionary?.data ?? [];
      // New parts come last.
      for (let last = parts.length - 1; last >= 0; last--) {
        const part = parts[last] as Data;
        const members = texts.get(id);
        if (members === undefined || seen.has(part)) break;
        seen.add(part);
        const cells = partOf(part, reading);
        for (let row = 0; row < part.length; row++) {
          const text = cells.at(row);
          if (typeof text !== 'string' || members.has(text)) continue;
          left -= text.length;
          if (members.size < maxMembers && left >= 0) {
            members.set(text, members.size);
            continue;
          }
          for (const known of members.keys()) left += known.length;
          left += text.length;
          texts.delete(id);
          break;
        }
      }
    }
  }
  return { schema, texts };
}

function* readBatches(frames: ArrowFrames): Generator<RecordBatch> {
  const messages = function* () {
    for (const { bytes } of frames.read()) yield bytes;
  };
  for (const batch of RecordBatchReader.from(messages())) if (batch.numRows > 0) yield batch;
}

function columnsOf(schema: Schema, texts: Texts): LoadedColumn[] {
  const names = memberNames(schema.fields);
  return schema.fields.map(({ type }, index) => {
    const name = names[index] as string;
    const members = DataType.isDictionary(type) ? texts.get((type as Dictionary).id) : undefined;
    return members === undefined || members.size === 0
      ? valueColumn(name, type)
      : enumColumn(name, members);
  });
}

function valueColumn(name: string, type: DataType): LoadedColumn {
  return {
    name,
    type: duckType(type),
    sql: quoteIdentifier(name),
    writer(reading) {
      const values = new Array<DuckDBValue>(vectorSize).fill(null);
      return {
        open(data) {
          const cells = cellsOf(data, reading);
          return {
            bytes: cells.bytes,
            take(start, rows, at) {
              for (let row = 0; row < rows; row++) values[at + row] = cells.at(start + row);
            },
          };
        },
        put(chunk, index, rows) {
          const vector = chunk.getColumnVector(index);
          for (let row = 0; row < rows; row++) vector.setItem(row, values[row] ?? null);
          vector.flush();
          values.fill(null, 0, rows);
        },
      };
    },
  };
}

/** A text column stored as ENUM: each text once, and its number in each row. */
function enumColumn(name: string, members: ReadonlyMap<string, number>): LoadedColumn {
  const texts = [...members.keys()];
  const isEscaped = texts.some(hasNul);
  const type = ENUM(isEscaped ? texts.map(escapeNul) : texts);
  return {
    name,
    type,
    sql: isEscaped
      ? unescapeNulSql(quoteIdentifier(name))
      : `CAST(${quoteIdentifier(name)} AS VARCHAR)`,
    writer: (reading) => enumWriter(members, enumNumbers(type), reading),
  };
}

function enumWriter(
  members: ReadonlyMap<string, number>,
  Numbers: ReturnType<typeof enumNumbers>,
  reading: Reading,
): ColumnWriter {
  const known = new WeakMap<Data, Int32Array>();
  /** The number of each text of a dictionary part; -1 for null. */
  const numbersOf = (part: Data): Int32Array => {
    let numbers = known.get(part);
    if (numbers === undefined) {
      const { at } = partOf(part, reading);
      numbers = Int32Array.from(
        { length: part.length },
        (_, row) => members.get(at(row) as string) ?? -1,
      );
      known.set(part, numbers);
    }
    return numbers;
  };
  const items = new Numbers(vectorSize);
  const valid = new Uint8Array(vectorSize / 8);
  return {
    open(data) {
      const dictionary = data.dictionary as Vector;
      const numbers = dictionary.data.map(numbersOf);
      const index = indexesOf(data, dictionary.length);
      const place = placesIn(dictionary);
      return {
        bytes: (start, end) => 4 * (end - start),
        take(start, rows, at) {
          for (let row = 0; row < rows; row++) {
            const to = at + row;
            valid[to >> 3] = (valid[to >> 3] as number) & ~(1 << (to & 7));
            if (!data.getValid(start + row)) continue;
            const found = place(index(start + row));
            const number = numbers[found.part]?.[found.row] as number;
            if (number < 0) continue;
            items[to] = number;
            valid[to >> 3] = (valid[to >> 3] as number) | (1 << (to & 7));
          }
        },
      };
    },
    put(chunk, index, rows) {
      const vector = bindings.data_chunk_get_vector(chunk.chunk, index);
      bindings.copy_data_to_vector(
        vector,
        0,
        items.buffer as ArrayBuffer,
        0,
        rows * items.BYTES_PER_ELEMENT,
      );
      bindings.vector_ensure_validity_writable(vector);
      bindings.copy_data_to_vector_validity(vector, 0, valid.buffer, 0, Math.ceil(rows / 64) * 8);
    },
  };
}

/**
 * Creates the table for the rows. Returns the SQL to select from, in which ENUM columns are
 * VARCHAR.
 */
async function createTable(
  connection: DuckDBConnection,
  name: string,
  columns: readonly LoadedColumn[],
): Promise<string> {
  if (columns.length === 0) throw new Error('it has no columns');
  const table = `${inputSchema}.${quoteIdentifier(name)}`;
  const list = columns.map((column) => `${quoteIdentifier(column.name)} ${column.type.toString()}`);
  const shown = columns.map((column) => `${column.sql} AS ${quoteIdentifier(column.name)}`);
  await connection.run(`CREATE SCHEMA IF NOT EXISTS ${inputSchema}`);
  await connection.run(`CREATE TABLE ${table} (${list.join(', ')})`);
  return `(SELECT ${shown.join(', ')} FROM ${table})`;
}

/** The announced size precedes the bytes; openFrames() has checked it. */
function announcedSize(bytes: Uint8Array): number {
  return Number(Buffer.from(bytes.buffer, bytes.byteOffset - 8, 8).readBigInt64LE(0));
}

compressionRegistry.set(CompressionType.LZ4_FRAME, {
  decode: (bytes) => lz4Decompress(bytes, announcedSize(bytes)),
});
compressionRegistry.set(CompressionType.ZSTD, {
  decode: (bytes) => zstdDecompress(bytes, announcedSize(bytes)),
});
