import type {
  DuckDBArrayType,
  DuckDBDataChunk,
  DuckDBListType,
  DuckDBMapType,
  DuckDBType,
  DuckDBValue,
} from '@duckdb/node-api';
import bindings from '@duckdb/node-bindings';
import {
  ARRAY,
  DuckDBStructType,
  DuckDBTypeId,
  DuckDBUnionType,
  DuckDBVector,
  LIST,
  MAP,
} from '../duckdb/api.js';

/**
 * Makes names distinct, ignoring case, by appending _1, _2 and so on to repeated ones. It never
 * produces a name that the result already has.
 */
export function distinctNames(names: readonly string[]): string[] {
  const folded = names.map((name) => name.toLowerCase());
  const taken = new Set(folded);
  const given = new Set<string>();
  const next = new Map<string, number>();
  return names.map((name, index) => {
    const base = folded[index] as string;
    if (!given.has(base)) {
      given.add(base);
      return name;
    }
    let number = next.get(base) ?? 1;
    while (taken.has(`${base}_${number}`)) number++;
    next.set(base, number + 1);
    taken.add(`${base}_${number}`);
    return `${name}_${number}`;
  });
}

/**
 * The type to read values with. Fields of structs are named by position: the library stores them as
 * members of an object, which would lose equal names and __proto__.
 */
export function readingType(type: DuckDBType): DuckDBType {
  switch (type.typeId) {
    case DuckDBTypeId.LIST:
      return LIST(readingType((type as DuckDBListType).valueType));
    case DuckDBTypeId.ARRAY:
      return ARRAY(
        readingType((type as DuckDBArrayType).valueType),
        (type as DuckDBArrayType).length,
      );
    case DuckDBTypeId.MAP:
      return MAP(
        readingType((type as DuckDBMapType).keyType),
        readingType((type as DuckDBMapType).valueType),
      );
    case DuckDBTypeId.STRUCT: {
      const { entryTypes } = type as DuckDBStructType;
      return new DuckDBStructType(
        entryTypes.map((_, index) => String(index)),
        entryTypes.map(readingType),
      );
    }
    case DuckDBTypeId.UNION: {
      const { memberTags, memberTypes } = type as DuckDBUnionType;
      return new DuckDBUnionType(memberTags, memberTypes.map(readingType));
    }
    default:
      return type;
  }
}

/** The values of each column of a chunk, read with `readingType` of its type. */
export function columnValues(
  chunk: DuckDBDataChunk,
  types: readonly DuckDBType[],
): DuckDBValue[][] {
  const rows = chunk.rowCount;
  return types.map((type, index) =>
    DuckDBVector.create(bindings.data_chunk_get_vector(chunk.chunk, index), rows, type).toArray(),
  );
}
