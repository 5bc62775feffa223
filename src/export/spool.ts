import { closeSync, openSync, readSync } from 'node:fs';
import {
  BIGINT,
  BOOLEAN,
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBTableFunction,
  type DuckDBType,
  ENUM,
  INTEGER,
} from '@duckdb/node-api';
import bindings from '@duckdb/node-bindings';
import type { Column, ColumnBatch } from '../engine/batch.js';
import type { TableColumn, TableName } from '../engine/columns.gen.js';
import { GrowingDictionary } from './dictionary.js';
import { physicalColumns } from './duckdb.js';
import { privateFile } from './mode.js';
import { writeAll } from './sink.js';

/** Rows of a DuckDB vector. */
const vectorSize = 2048;

/** Bytes of one value in the file, which are those of DuckDB's vectors; strings are numbers of 4 bytes. */
const valueBytes = { i32: 4, i64: 8, str: 4, bool: 1, ops: 4, ts: 8 } as const;

/**
 * The rows of one table in a file, in the form of DuckDB's vectors: strings as numbers into a dictionary of each
 * column. When all rows are there the dictionaries are complete, so that DuckDB can read the strings as ENUM
 * types, which costs a fraction of handing over text. In memory are the distinct strings, not the rows.
 */
export class Spool {
  readonly #table: TableName;
  readonly #columns: readonly TableColumn[];
  readonly #dictionaries = new Map<string, GrowingDictionary>();
  readonly #blocks: number[] = [];
  /** The block that is being written or read. */
  readonly #block: Uint8Array;
  #descriptor: number | undefined;

  constructor(table: TableName, path: string) {
    this.#table = table;
    this.#columns = physicalColumns(table);
    this.#block = new Uint8Array(blockBytes(this.#columns, vectorSize));
    for (const { name, type } of this.#columns)
      if (type === 'str') this.#dictionaries.set(name, new GrowingDictionary());
    this.#descriptor = openSync(path, 'w+', privateFile);
  }

  /** Number of distinct strings of a column. */
  distinct(column: string): number {
    return this.#dictionaries.get(column)?.size ?? 0;
  }

  append(batch: ColumnBatch): void {
    const physical = batch.columns.filter((column) => column.type !== 'ops' && column.type !== 'ts');
    // In blocks of one vector each: what is read back later is what DuckDB asks for.
    const parts = physical.map((column) => ({
      column,
      values: this.#values(column, batch),
      bytes: valueBytes[column.type],
    }));
    for (let start = 0; start < batch.rows; start += vectorSize) {
      const rows = Math.min(vectorSize, batch.rows - start);
      const block = this.#block.subarray(0, blockBytes(this.#columns, rows)).fill(0);
      let offset = 0;
      for (const { column, values, bytes } of parts) {
        block.set(new Uint8Array(values.buffer, values.byteOffset + start * bytes, rows * bytes), offset);
        offset += padded(rows * bytes);
        if (column.valid === null) block.fill(0xff, offset, offset + validityBytes(rows));
        else block.set(column.valid.subarray(start >> 3, (start + rows + 7) >> 3), offset);
        offset += validityBytes(rows);
      }
      writeAll(this.#descriptor as number, block);
      this.#blocks.push(rows);
    }
  }

  /** Makes the rows readable in SQL as the function of this name. */
  register(connection: DuckDBConnection, name: string): void {
    const types = this.#columns.map((column) => this.#duckType(column));
    const place = { block: 0, position: 0 };
    connection.registerTableFunction(
      DuckDBTableFunction.create({
        name,
        bindFunction: (info) => {
          for (const [index, column] of this.#columns.entries())
            info.addResultColumn(column.name, types[index] as DuckDBType);
          info.setCardinality(
            this.#blocks.reduce((sum, rows) => sum + rows, 0),
            true,
          );
        },
        initFunction: () => {
          place.block = 0;
          place.position = 0;
        },
        mainFunction: (info, chunk) => {
          try {
            this.#fill(chunk, place);
          } catch (error) {
            info.setError((error as Error).message);
          }
        },
      }),
    );
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #values(column: Column, batch: ColumnBatch): Column['values'] {
    const dictionary = this.#dictionaries.get(column.name);
    return dictionary === undefined ? column.values : dictionary.encode(column, batch).indexes;
  }

  #duckType(column: TableColumn): DuckDBType {
    if (column.type !== 'str') return column.type === 'i64' ? BIGINT : column.type === 'bool' ? BOOLEAN : INTEGER;
    const strings = this.#dictionaries.get(column.name)?.strings() ?? [];
    return ENUM(strings.length === 0 ? [''] : uniqueNames(strings));
  }

  #fill(chunk: DuckDBDataChunk, place: { block: number; position: number }): void {
    const rows = this.#blocks[place.block] ?? 0;
    chunk.rowCount = rows;
    if (rows === 0) return;
    const block = this.#block.subarray(0, blockBytes(this.#columns, rows));
    if (readSync(this.#descriptor as number, block, 0, block.byteLength, place.position) !== block.byteLength) {
      throw new Error(`the passing file of table ${this.#table} is cut`);
    }
    place.block += 1;
    place.position += block.byteLength;
    let offset = 0;
    this.#columns.forEach((column, index) => {
      const vector = bindings.data_chunk_get_vector(chunk.chunk, index);
      const length = rows * valueBytes[column.type];
      const values =
        column.type === 'str'
          ? enumValues(block, offset, rows, this.distinct(column.name))
          : block.subarray(offset, offset + length);
      bindings.copy_data_to_vector(vector, 0, values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
      offset += padded(length);
      bindings.vector_ensure_validity_writable(vector);
      bindings.copy_data_to_vector_validity(vector, 0, block.buffer as ArrayBuffer, offset, validityBytes(rows));
      offset += validityBytes(rows);
    });
  }
}

/** DuckDB stores the numbers of an ENUM in as few bytes as its size needs. */
function enumValues(
  block: Uint8Array,
  offset: number,
  rows: number,
  size: number,
): Uint8Array | Uint16Array | Uint32Array {
  const indexes = new Uint32Array(block.buffer, offset, rows);
  if (size <= 0x100) return Uint8Array.from(indexes);
  return size <= 0x10000 ? Uint16Array.from(indexes) : indexes;
}

/**
 * Names as DuckDB takes them: up to a NUL, and each once. Only strings with a NUL, or that were not UTF-8, can
 * come to look the same; the later one gets a mark for each time.
 */
function uniqueNames(strings: readonly string[]): string[] {
  if (!strings.some((text) => text.includes('\0'))) return [...strings];
  const seen = new Set<string>(strings.filter((text) => !text.includes('\0')));
  return strings.map((text) => {
    if (!text.includes('\0')) return text;
    let name = text.replaceAll('\0', '\ufffd');
    while (seen.has(name)) name += '\ufffd';
    seen.add(name);
    return name;
  });
}

function blockBytes(columns: readonly TableColumn[], rows: number): number {
  return columns.reduce((sum, column) => sum + padded(rows * valueBytes[column.type]) + validityBytes(rows), 0);
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

function validityBytes(rows: number): number {
  return Math.ceil(rows / 64) * 8;
}
