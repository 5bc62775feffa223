import { decodeError } from '../../duckdb/sql-error.js';
import { SfkitError, SqlError } from '../../engine/errors.js';
import type { Token } from '../sql-tokens.js';
import {
  ambiguousColumn,
  missingColumn,
  missingColumnOf,
  missingOther,
  missingOwner,
  missingPart,
  missingTable,
  missingValue,
  ungroupedColumn,
} from './missing.js';
import { pictureOf } from './picture.js';
import { syntaxError } from './syntax.js';
import { meaningfulTokens, tablesNamed } from './tokens.js';
import type { Rule, Surroundings } from './types.js';
import { listWithText, textForNumber, timeArithmetic, wrongTime } from './values.js';

/** Each kind of error is for one rule. */
const rules: readonly Rule[] = [
  syntaxError,
  missingTable,
  missingColumn,
  missingColumnOf,
  missingOwner,
  missingPart,
  ambiguousColumn,
  ungroupedColumn,
  missingValue,
  missingOther,
  listWithText,
  timeArithmetic,
  wrongTime,
  textForNumber,
];

/**
 * Explains an error of DuckDB: what is wrong, the place in the SQL, and what to write instead.
 * Returns other errors as they are.
 */
export function explainSql(error: unknown, sql: string, { tables, times }: Surroundings): unknown {
  if (!(error instanceof SfkitError) || error.code !== 'SQL_ERROR' || error instanceof SqlError)
    return error;
  const parts = decodeError(error.cause);
  if (parts === undefined) return error;
  const tokens = meaningfulTokens(sql);
  const at = tokenAt(tokens, sql, parts.position);
  const problem = {
    error: parts,
    sql,
    tokens,
    at,
    tables,
    named: tablesNamed(tokens, tables),
    times,
  };
  let advice: ReturnType<Rule>;
  for (const rule of rules) {
    advice = rule(problem);
    if (advice !== undefined) break;
  }
  const place = tokens[advice?.at ?? at];
  return new SqlError(
    advice?.message ?? error.message,
    [
      ...(place === undefined ? [] : pictureOf(sql, place.start)),
      ...(advice?.hint === undefined ? [] : [`  hint: ${advice.hint}`]),
    ],
    { cause: error },
  );
}

/**
 * Index of the token at an offset in bytes; -1 if none starts there: DuckDB's place can refer to
 * the definition of a view.
 */
function tokenAt(tokens: readonly Token[], sql: string, position: number | undefined): number {
  if (position === undefined) return -1;
  const bytes = Buffer.from(sql);
  if (position > bytes.length) return -1;
  const start = bytes.subarray(0, position).toString().length;
  return tokens.findIndex((token) => token.start === start);
}
