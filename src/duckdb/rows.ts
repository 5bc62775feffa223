import type { DuckDBConnection, DuckDBDataChunk, DuckDBType } from '@duckdb/node-api';
import bindings from '@duckdb/node-bindings';
import type { EncodedStrings } from '../engine/string-table.js';
import type { Block, BlockColumn, Spool } from '../output/spool.js';
import {
  BIGINT,
  BOOLEAN,
  DuckDBTableFunction,
  DuckDBTypeId,
  ENUM,
  INTEGER,
  VARCHAR,
} from './api.js';

/** Rows of a DuckDB vector: the maximum block size of a spool that DuckDB reads. */
export const vectorSize = 2048;

/** SQL access to the text columns of a spool. */
export interface RegisteredRows {
  /** SQL of type VARCHAR for a column of the function, or of a table created from it. */
  text(column: string): string;
  /** Whether the members of its ENUM are escaped texts. */
  escapes(column: string): boolean;
}

/**
 * Registers a table function that reads the rows of a spool. Columns with a dictionary are ENUM,
 * which costs a fraction of copying text; the others are VARCHAR.
 */
export function registerRows(
  connection: DuckDBConnection,
  name: string,
  spool: Spool,
): RegisteredRows {
  const escaped = new Set<string>();
  const readers = spool.columns.map((column): { type: DuckDBType; copy: CopyColumn } => {
    if (column.type !== 'str') return { type: fixedTypes[column.type], copy: copyFixed };
    const strings = spool.dictionary(column.name)?.strings();
    if (strings === undefined) return { type: VARCHAR, copy: textCopier() };
    if (strings.some(hasNul)) escaped.add(column.name);
    const names = escaped.has(column.name) ? strings.map(escapeNul) : strings;
    const type = ENUM(names.length === 0 ? [''] : names);
    return { type, copy: enumCopier(type) };
  });
  let blocks: Iterator<Block, void, undefined> | undefined;
  connection.registerTableFunction(
    DuckDBTableFunction.create({
      name,
      bindFunction: (info) => {
        for (const [index, { type }] of readers.entries())
          info.addResultColumn(spool.columns[index]?.name as string, type);
        info.setCardinality(spool.rows, true);
      },
      initFunction: () => {
        blocks = spool.blocks();
      },
      mainFunction: (info, chunk) => {
        try {
          const { value } = (blocks as Iterator<Block, void, undefined>).next();
          if (value) fill(chunk, value, readers);
          else chunk.rowCount = 0;
        } catch (error) {
          info.setError((error as Error).message);
        }
      },
    }),
  );
  return {
    escapes: (column) => escaped.has(column),
    text: (column) => (escaped.has(column) ? unescapeNulSql(column) : `CAST(${column} AS VARCHAR)`),
  };
}

const fixedTypes = {
  i32: INTEGER,
  i64: BIGINT,
  bool: BOOLEAN,
  ops: INTEGER,
  flags: INTEGER,
  ts: BIGINT,
} as const;

type CopyColumn = (vector: bindings.Vector, column: BlockColumn, rows: number) => void;

function fill(
  chunk: DuckDBDataChunk,
  { rows, columns }: Block,
  readers: readonly { copy: CopyColumn }[],
): void {
  chunk.rowCount = rows;
  columns.forEach((column, index) => {
    const vector = bindings.data_chunk_get_vector(chunk.chunk, index);
    readers[index]?.copy(vector, column, rows);
    const { buffer, byteOffset, byteLength } = column.valid;
    bindings.vector_ensure_validity_writable(vector);
    bindings.copy_data_to_vector_validity(vector, 0, buffer as ArrayBuffer, byteOffset, byteLength);
  });
}

function copyFixed(vector: bindings.Vector, { values }: BlockColumn): void {
  bindings.copy_data_to_vector(
    vector,
    0,
    values.buffer as ArrayBuffer,
    values.byteOffset,
    values.byteLength,
  );
}

function enumCopier(type: DuckDBType): CopyColumn {
  const Numbers = enumNumbers(type);
  return (vector, column) => {
    const values = Numbers.from(column.values as Uint32Array);
    copyFixed(vector, { ...column, values: values as Uint32Array });
  };
}

/** The array type for the numbers of an ENUM; DuckDB determines their width. */
export function enumNumbers(
  type: DuckDBType,
): Uint8ArrayConstructor | Uint16ArrayConstructor | Uint32ArrayConstructor {
  const width = bindings.enum_internal_type(type.toLogicalType().logical_type) as number;
  if (width === DuckDBTypeId.UTINYINT) return Uint8Array;
  return width === DuckDBTypeId.USMALLINT ? Uint16Array : Uint32Array;
}

/** 32-bit words of DuckDB's string_t: the length, and either the bytes or a pointer to them. */
const stringWords = 4;

/**
 * Copies text. Each distinct string of a vector goes to DuckDB once, and the rows copy its
 * reference, which costs far less than passing the text of each row.
 */
function textCopier(): CopyColumn {
  let texts: EncodedStrings | undefined;
  let seen = new Uint32Array();
  let places = new Uint16Array();
  let round = 0;
  return (vector, column, rows) => {
    const numbers = column.values as Uint32Array;
    if (column.texts !== texts) {
      texts = column.texts as EncodedStrings;
      seen = new Uint32Array(texts.offsets.length);
      places = new Uint16Array(texts.offsets.length);
      round = 0;
    }
    const { offsets, bytes } = texts as EncodedStrings;
    round += 1;
    let distinct = 0;
    for (let row = 0; row < rows; row++) {
      const number = numbers[row] as number;
      if (seen[number] === round || !isValid(column.valid, row)) continue;
      seen[number] = round;
      places[number] = distinct;
      const text = bytes.subarray(offsets[number], offsets[number + 1]);
      bindings.vector_assign_string_element_len(vector, distinct, text);
      distinct += 1;
    }
    const references = Uint8Array.from(
      bindings.vector_get_data(vector, distinct * stringWords * 4),
    );
    const from = new Uint32Array(references.buffer);
    const to = new Uint32Array(rows * stringWords);
    for (let row = 0; row < rows; row++) {
      if (!isValid(column.valid, row)) continue;
      const place = (places[numbers[row] as number] as number) * stringWords;
      const at = row * stringWords;
      to[at] = from[place] as number;
      to[at + 1] = from[place + 1] as number;
      to[at + 2] = from[place + 2] as number;
      to[at + 3] = from[place + 3] as number;
    }
    bindings.copy_data_to_vector(vector, 0, to.buffer, 0, to.byteLength);
  };
}

function isValid(valid: Uint8Array, row: number): boolean {
  return (((valid[row >> 3] as number) >> (row & 7)) & 1) === 1;
}

// Members of an ENUM end at a NUL. In a column with a NUL, the NUL is written as this noncharacter
// and '0', and the noncharacter itself as itself and '1'.
const marker = '\u{10ffff}';

export function hasNul(text: string): boolean {
  return text.includes('\0');
}

export function escapeNul(text: string): string {
  return text.replaceAll(marker, `${marker}1`).replaceAll('\0', `${marker}0`);
}

/** SQL that decodes escaped members. */
export function unescapeNulSql(column: string): string {
  const nulBack = `replace(CAST(${column} AS VARCHAR), '${marker}0', chr(0))`;
  return `replace(${nulBack}, '${marker}1', '${marker}')`;
}
