import { opNames } from '../../engine/columns.gen.js';
import { type Comparison, comparisonAt, textOf, unquoted } from './tokens.js';
import type { Advice, Problem } from './types.js';

// Advice on values that do not suit the column that they are compared with.

/** A list, such as opflags, compared with a text. */
export function listWithText(problem: Problem): Advice | undefined {
  const { error, at, tokens, named } = problem;
  const isList =
    /destination type VARCHAR\[\]/.test(error.message) ||
    /Cannot (compare|mix) values of type (.*)VARCHAR\[\]/.test(error.message) ||
    (/^(No function matches|Could not choose)/.test(error.message) &&
      /\(VARCHAR\[\]/.test(error.message));
  if (!isList || at < 0) return undefined;
  const compared = comparisonAt(tokens, at, named);
  if (compared === undefined || !compared.column.type.endsWith('[]')) return callOnList(problem);
  const column = textOf(problem.sql, tokens, compared.chain.first, compared.chain.last);
  const values = tokens
    .slice(compared.first, compared.last + 1)
    .filter(({ kind }) => kind === 'text')
    .map((token) => itemOf(unquoted(token)));
  return {
    message: `${column} is a list, not a text`,
    hint: containsSql(column, values, compared),
  };
}

/** A function of texts that gets a list. */
function callOnList({ tokens, at, sql, named }: Problem): Advice | undefined {
  const lists = new Set(
    named
      .flatMap(({ table }) => table.columns)
      .filter(({ type }) => type.endsWith('[]'))
      .map(({ name }) => name),
  );
  const place = tokens.findIndex(({ text }, index) => index >= at && lists.has(text.toLowerCase()));
  if (place < 0) return undefined;
  const column = textOf(sql, tokens, place, place);
  return {
    message: `${column} is a list, not a text`,
    hint: `list_contains(${column}, '${opNames[1]}')`,
  };
}

/** An item as the list spells it, without the wildcards of LIKE. */
function itemOf(value: string): string {
  const item = value.replace(/^%|%$/g, '');
  return opNames.find((name) => name === item.toUpperCase()) ?? item;
}

function containsSql(
  column: string,
  values: readonly string[],
  { operator, isNegated }: Comparison,
): string {
  const quoted = values.map((value) => `'${value.replaceAll("'", "''")}'`);
  const isOpposite = isNegated || operator === '<>' || operator === '!=';
  const call =
    quoted.length > 1
      ? `list_has_any(${column}, [${quoted.join(', ')}])`
      : `list_contains(${column}, ${quoted[0] ?? `'${opNames[1]}'`})`;
  return isOpposite ? `not ${call}` : call;
}

/** A time compared with something that is no time, such as a time of day. */
export function wrongTime(problem: Problem): Advice | undefined {
  const { error, at, tokens, named, sql } = problem;
  const isWrong =
    /Cannot (?:compare|mix) values of type .*\bTIMESTAMP_NS\b/.test(error.message) ||
    /^Could not convert string '.*' to /.test(error.message) ||
    /^(?:timestamp|time|date) field value out of range: /.test(error.message);
  const compared = at < 0 || !isWrong ? undefined : comparisonAt(tokens, at, named);
  if (compared === undefined || !isTime(compared.column.type)) return undefined;
  const column = textOf(sql, tokens, compared.chain.first, compared.chain.last);
  // Of several values, such as those of BETWEEN, the wrong one.
  const place = tokens[at]?.kind === 'text' ? at : compared.value;
  const literal = tokens[place];
  if (literal?.kind === 'number') {
    return {
      message: `${column} is a time, and ${literal.text} is a number`,
      hint: `${column}_uts is the time in ns since 1970; or ${example(column, compared, problem, undefined)}`,
      at: place,
    };
  }
  const given = literal?.kind === 'text' ? unquoted(literal) : undefined;
  const isClock = given !== undefined && clock.test(given);
  const what = given === undefined ? 'the value' : `'${given}'`;
  return {
    message: isClock ? `${what} has no date` : `${what} is not a time in UTC`,
    hint: example(column, compared, problem, isClock ? given : undefined),
    at: place,
  };
}

const clock = /^\d{1,2}:\d\d(:\d\d(\.\d+)?)?Z?$/;

const isTime = (type: string): boolean => type.startsWith('TIMESTAMP');

/** The comparison with times of the capture. */
function example(
  column: string,
  { operator }: Comparison,
  { times }: Problem,
  given: string | undefined,
): string {
  const first = times?.first ?? '2026-01-31T10:00:00Z';
  const last = times?.last ?? '2026-01-31T11:00:00Z';
  const day = first.slice(0, 10);
  const from =
    given === undefined ? exact(first) : `${day} ${given.replace(/Z$/, '').replace(/^\d:/, '0$&')}`;
  const range = times === undefined ? '' : ` (the input is from ${exact(first)} to ${exact(last)})`;
  if (operator === 'between') return `${column} between '${from}' and '${exact(last)}'${range}`;
  const sign = ['=', '<', '<=', '>', '>=', '<>', '!='].includes(operator) ? operator : '>';
  return `${column} ${sign} '${from}'${range}`;
}

/** As SQL has it: with a blank, without the zone. */
const exact = (time: string): string => time.replace('T', ' ').replace('Z', '');

/** An interval as text or number added to a time. */
export function timeArithmetic({ error, tokens, at, named, sql }: Problem): Advice | undefined {
  const sign = /(?:types '|call ")([-+])\(TIMESTAMP_NS, /.exec(error.message)?.[1];
  if (sign === undefined || at < 0) return undefined;
  const compared = comparisonAt(tokens, at, named);
  if (compared === undefined) return undefined;
  const column = textOf(sql, tokens, compared.chain.first, compared.chain.last);
  return {
    message: `${column} is a time, and needs an interval`,
    hint: `${column} ${sign} interval '5 seconds'`,
  };
}

const numeric = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL.*)$/;

/** A number compared with a text. */
export function textForNumber({ error, tokens, at, named, sql }: Problem): Advice | undefined {
  const literal = tokens[at];
  if (!/^Could not convert string '/.test(error.message) || literal?.kind !== 'text')
    return undefined;
  const compared = comparisonAt(tokens, at, named);
  if (compared === undefined || !numeric.test(compared.column.type)) return undefined;
  const column = textOf(sql, tokens, compared.chain.first, compared.chain.last);
  const value = unquoted(literal);
  const message = `${column} is a number, and '${value}' is not`;
  if (/^E[A-Z0-9]{2,}$/.test(value)) {
    return { message, hint: `the table events has the names of errors: where error = '${value}'` };
  }
  const texts = textColumns(compared, named);
  return { message, hint: texts === undefined ? undefined : `texts are in ${texts}` };
}

/** Columns of texts with the same first word: proc_exe and proc_name for proc_pid. */
function textColumns({ column }: Comparison, named: Problem['named']): string | undefined {
  const prefix = /^[a-z0-9]+_/.exec(column.name)?.[0];
  if (prefix === undefined) return undefined;
  const names = named
    .flatMap(({ table }) => table.columns)
    .filter(({ name, type }) => type === 'VARCHAR' && name.startsWith(prefix))
    .map(({ name }) => name);
  return names.length === 0 ? undefined : [...new Set(names)].slice(0, 3).join(', ');
}
