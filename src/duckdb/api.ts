import { createRequire } from 'node:module';
import type * as Api from '@duckdb/node-api';

// The parts of DuckDB's library that every query needs. An import statement would first search each
// of its files for names, which takes as long as loading them.

const api = createRequire(import.meta.url)('@duckdb/node-api') as typeof Api;

export const {
  ARRAY,
  BIGINT,
  BOOLEAN,
  DuckDBInstance,
  DuckDBStructType,
  DuckDBTableFunction,
  DuckDBTypeId,
  DuckDBUnionType,
  DuckDBVector,
  ENUM,
  INTEGER,
  LIST,
  MAP,
  StatementType,
  VARCHAR,
} = api;

export type DuckDBStructType = Api.DuckDBStructType;
export type DuckDBTypeId = Api.DuckDBTypeId;
export type DuckDBUnionType = Api.DuckDBUnionType;
export type StatementType = Api.StatementType;
