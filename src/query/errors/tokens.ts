import { meaningful, nameOf, type Token, tokensOf } from '../sql-tokens.js';
import type { NamedTable, SqlColumn, SqlTable } from './types.js';

// Reads the surroundings of an error from its tokens. The SQL may be wrong anywhere, so these are
// guesses.

export const isWord = ({ kind }: Token): boolean => kind === 'word' || kind === 'name';

/** Whether the token is one of these keywords. */
export function isKeyword(token: Token | undefined, ...keywords: readonly string[]): boolean {
  return token?.kind === 'word' && keywords.includes(token.text.toLowerCase());
}

/** A dotted name such as sf.proc.exe: the words and the index of its first and last token. */
export interface Chain {
  parts: readonly string[];
  first: number;
  last: number;
}

/** The dotted name that starts at a token. */
export function chainFrom(tokens: readonly Token[], first: number): Chain | undefined {
  const token = tokens[first];
  if (token === undefined || !isWord(token)) return undefined;
  const parts = [nameOf(token)];
  let last = first;
  while (
    tokens[last + 1]?.text === '.' &&
    tokens[last + 2] !== undefined &&
    isWord(tokens[last + 2] as Token)
  ) {
    last += 2;
    parts.push(nameOf(tokens[last] as Token));
  }
  return { parts, first, last };
}

/** The dotted name that ends at a token. */
export function chainTo(tokens: readonly Token[], last: number): Chain | undefined {
  let first = last;
  while (first >= 2 && tokens[first - 1]?.text === '.' && isWord(tokens[first - 2] as Token))
    first -= 2;
  const chain = chainFrom(tokens, first);
  return chain?.last === last ? chain : undefined;
}

/** The text of tokens as written. */
export function textOf(sql: string, tokens: readonly Token[], first: number, last: number): string {
  const end = tokens[last] as Token;
  return sql.slice((tokens[first] as Token).start, end.start + end.text.length);
}

/** The tables that the SQL names, with their aliases. */
export function tablesNamed(tokens: readonly Token[], tables: readonly SqlTable[]): NamedTable[] {
  const byName = new Map(tables.map((table) => [table.name.toLowerCase(), table]));
  const named = new Map<SqlTable, string[]>();
  tokens.forEach((token, index) => {
    if (!isWord(token) || tokens[index + 1]?.text === '(') return;
    const table = byName.get(nameOf(token));
    const before = tokens[index - 1];
    const isFrom = isKeyword(
      before,
      'from',
      'join',
      'describe',
      'summarize',
      'table',
      'into',
      'update',
      'show',
    );
    if (table === undefined || !(isFrom || before?.text === ',' || before?.text === '.')) return;
    const aliases = named.get(table) ?? [nameOf(token)];
    named.set(table, aliases);
    const next = tokens[index + 1];
    const alias = isKeyword(next, 'as') ? tokens[index + 2] : next;
    if (alias !== undefined && isWord(alias) && !isKeyword(alias, ...afterTable))
      aliases.push(nameOf(alias));
  });
  return [...named].map(([table, aliases]) => ({ table, aliases }));
}

/** Words that follow a table and are no alias. */
const afterTable = [
  'anti asof cross except full group having inner intersect join lateral left limit natural offset on order',
  'pivot positional qualify returning right sample select semi set tablesample union unpivot using values where window',
].flatMap((words) => words.split(' '));

/** The column that a dotted name means, in the tables that the SQL names. */
export function columnOf({ parts }: Chain, named: readonly NamedTable[]): SqlColumn | undefined {
  const name = parts.at(-1) as string;
  const owner = parts.at(-2);
  const owned = named.filter(({ aliases }) => owner === undefined || aliases.includes(owner));
  return owned
    .flatMap(({ table }) => table.columns)
    .find((column) => column.name.toLowerCase() === name);
}

/** A comparison with a column: `column operator value`, or the other way round. */
export interface Comparison {
  chain: Chain;
  column: SqlColumn;
  /** Such as =, in or between. */
  operator: string;
  isNegated: boolean;
  /** Index of the first token of the value. */
  value: number;
  /** Index of the first and last token. */
  first: number;
  last: number;
}

const operators = new Set(['=', '==', '<>', '!=', '<', '<=', '>', '>=', '~~', '@', '&', '+', '-']);
const wordOperators = ['like', 'ilike', 'in', 'between', 'glob', 'similar'];

/** The comparison of a column with the value, or with the operator, at a token. */
export function comparisonAt(
  tokens: readonly Token[],
  at: number,
  named: readonly NamedTable[],
): Comparison | undefined {
  const isOperator = (token: Token | undefined) =>
    token !== undefined && (operators.has(token.text) || isKeyword(token, ...wordOperators));
  // Backwards over the values of IN (…), the start of BETWEEN, and prefixes such as TIMESTAMP or a
  // sign.
  let place = isKeyword(tokens[at], 'not') ? at + 1 : at;
  for (let steps = 0; place >= 0 && steps < maxSteps && !isOperator(tokens[place]); steps++) {
    if (isKeyword(tokens[place], 'where', 'on', 'having', 'select', 'or')) break;
    place -= 1;
  }
  if (isOperator(tokens[place])) {
    const isNegated = isKeyword(tokens[place - 1], 'not');
    const chain = chainTo(tokens, place - (isNegated ? 2 : 1));
    const column = chain && columnOf(chain, named);
    if (chain !== undefined && column !== undefined) {
      const operator = (tokens[place] as Token).text.toLowerCase();
      const last = endOfValue(tokens, place);
      return { chain, column, operator, isNegated, value: place + 1, first: chain.first, last };
    }
  }
  // The value comes first.
  const value = isOperator(tokens[at]) ? at - 1 : at;
  const sign = tokens[value + 1];
  if (!isOperator(sign)) return undefined;
  const chain = chainFrom(tokens, value + 2);
  const column = chain && columnOf(chain, named);
  if (chain === undefined || column === undefined) return undefined;
  const operator = (sign as Token).text.toLowerCase();
  return {
    chain,
    column,
    operator: mirrored[operator] ?? operator,
    isNegated: false,
    value,
    first: value,
    last: chain.last,
  };
}

const mirrored: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** Maximum tokens between a value and its operator. */
const maxSteps = 200;

/** Index of the last token of the value after an operator: the list of IN, or one token. */
function endOfValue(tokens: readonly Token[], operator: number): number {
  if (tokens[operator + 1]?.text !== '(') return Math.min(operator + 1, tokens.length - 1);
  const close = tokens.findIndex((token, index) => index > operator && token.text === ')');
  return close < 0 ? tokens.length - 1 : close;
}

/** The characters of a text token, without quotes. */
export function unquoted({ text }: Token): string {
  return text.replace(/^[eE]?'|'$/g, '').replaceAll("''", "'");
}

export function meaningfulTokens(sql: string): Token[] {
  return meaningful(tokensOf(sql));
}
