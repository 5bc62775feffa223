import { nearest } from '../../engine/nearest.js';
import { nameOf, type Token } from '../sql-tokens.js';
import { either, similarNames } from './names.js';
import { chainTo, isWord, textOf } from './tokens.js';
import type { Advice, Problem } from './types.js';

// Advice on SQL that DuckDB cannot parse.

const starts = (
  'alter analyze attach begin call checkpoint commit copy create deallocate delete describe detach drop execute explain ' +
  'export from import insert pivot pragma prepare reset rollback select set show summarize table truncate unpivot ' +
  'update use values vacuum with'
).split(' ');

const clauses = (
  'select from where group order having limit offset union join left right inner outer full cross using on as and or ' +
  'not between case when then else end distinct qualify window asc desc by values exists interval'
).split(' ');

export function syntaxError(problem: Problem): Advice | undefined {
  const { error, tokens, at } = problem;
  if (error.kind !== 'Parser') return undefined;
  return (
    unterminated(problem) ??
    (at < 0 || isEnd(problem) ? early(problem) : unexpected(tokens[at] as Token, problem))
  );
}

/** A quote or comment without its end. */
function unterminated({ error }: Problem): Advice | undefined {
  const what = /^unterminated (.*?) at or near/.exec(error.message)?.[1];
  if (what === undefined) return undefined;
  if (what === 'quoted identifier')
    return {
      message: 'the closing " is missing',
      hint: "a name has double quotes, a text single ones: 'text'",
    };
  if (what.startsWith('dollar'))
    return { message: 'the closing $$ is missing', hint: 'a text ends as it starts' };
  if (what.includes('comment')) return { message: 'the end of the comment is missing: */' };
  return { message: "the closing ' is missing", hint: "a ' within a text is doubled: 'it''s'" };
}

function isEnd({ error, tokens, at }: Problem): boolean {
  return (
    /at end of input/.test(error.message) || (tokens[at]?.text === ';' && at === tokens.length - 1)
  );
}

/** The statement ends where more is expected. */
function early({ error, tokens }: Problem): Advice | undefined {
  if (!/^syntax error/.test(error.message)) return undefined;
  const at = tokens.length - 1;
  const open = balance(tokens);
  const message = `the statement is incomplete: it ends after ${shown(tokens[at])}`;
  return {
    message,
    at,
    hint: open > 0 ? `${open === 1 ? 'a )' : `${open} )`} is missing` : undefined,
  };
}

function balance(tokens: readonly Token[]): number {
  let open = 0;
  for (const { kind, text } of tokens)
    if (kind === 'symbol') open += text === '(' ? 1 : text === ')' ? -1 : 0;
  return open;
}

function shown(token: Token | undefined): string {
  const text = token?.text ?? '';
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}

/** Maximum characters of a token in a message. */
const maxShown = 40;

function unexpected(token: Token, problem: Problem): Advice | undefined {
  if (!/^syntax error/.test(problem.error.message)) return undefined;
  return { message: `syntax error at ${shown(token)}`, ...cause(token, problem) };
}

/** The probable cause of a syntax error. */
function cause(token: Token, problem: Problem): Omit<Advice, 'message'> | undefined {
  const { tokens, at, sql, tables } = problem;
  const before = tokens[at - 1];
  const statementStart = at === 0 || before?.text === ';';
  if (statementStart) {
    const word = startHint(token, problem);
    if (word !== undefined) return { hint: word };
  }
  const touches = before !== undefined && before.start + before.text.length === token.start;
  if (before?.kind === 'text' && touches) return { hint: "a ' within a text is doubled: 'it''s'" };
  const filter = operatorHint(problem);
  if (filter !== undefined) return filter;
  if (token.text === ')' && balance(tokens.slice(0, at + 1)) < 0)
    return { hint: 'this ) has no (' };
  if (before?.text === ',' && isWord(token)) return { hint: 'remove the comma before it' };
  if ((token.text === '/' || token.text === '.') && before?.kind === 'symbol') {
    const rest = /^[^\s;,()]*/.exec(sql.slice(token.start))?.[0] ?? token.text;
    return { hint: `a text has single quotes: '${rest}'` };
  }
  // A mistyped keyword is often read as a name, and the error comes later.
  const names = new Set([
    ...tables.map(({ name }) => name.toLowerCase()),
    ...tables.flatMap(({ columns }) => columns.map(({ name }) => name.toLowerCase())),
  ]);
  for (const place of [at, at - 1, at - 2]) {
    const candidate = tokens[place];
    if (candidate?.kind !== 'word') continue;
    const word = candidate.text.toLowerCase();
    if (word.length < 3 || names.has(word) || clauses.includes(word) || starts.includes(word))
      continue;
    const keyword = nearest(word, clauses) ?? swapped(word);
    if (keyword !== undefined) return { at: place, hint: `did you mean ${keyword}?` };
  }
  return undefined;
}

/** A keyword with two letters swapped. */
function swapped(word: string): string | undefined {
  for (let index = 0; index + 1 < word.length; index++) {
    const letters = [...word];
    [letters[index], letters[index + 1]] = [letters[index + 1] as string, letters[index] as string];
    const keyword = letters.join('');
    if (clauses.includes(keyword) || starts.includes(keyword)) return keyword;
  }
  return undefined;
}

/** The first word of a statement: a table, or a mistyped keyword. */
function startHint(token: Token, { tokens, at, tables, sql }: Problem): string | undefined {
  if (!isWord(token)) return undefined;
  const table = tables.find(({ name }) => name.toLowerCase() === nameOf(token));
  const rest = tokens.slice(at).filter(({ text }) => text !== ';');
  if (table !== undefined) return `from ${textOf(sql, tokens, at, at + rest.length - 1)}`;
  const word = token.text.toLowerCase();
  const keyword = nearest(word, starts) ?? swapped(word);
  if (keyword !== undefined) return `did you mean ${keyword}?`;
  const similar = similarNames(
    nameOf(token),
    tables.map(({ name }) => name),
  );
  if (rest.length === 1 && similar.length > 0)
    return `did you mean ${either(similar.map((name) => `from ${name}`))}?`;
  return 'a statement starts with from or select: from network_flow';
}

/** Operators of filters, and the functions of DuckDB that do the same. */
const functions: Readonly<Record<string, string>> = {
  contains: 'contains',
  icontains: 'contains',
  startswith: 'starts_with',
  endswith: 'ends_with',
  regex: 'regexp_matches',
  matches: 'regexp_matches',
};

/** An operator of filters, such as contains. */
function operatorHint({ tokens, at, sql }: Problem): Omit<Advice, 'message'> | undefined {
  for (const place of [at, at - 1]) {
    const name = tokens[place]?.kind === 'word' ? (tokens[place] as Token).text.toLowerCase() : '';
    const call = Object.hasOwn(functions, name) ? functions[name] : undefined;
    const chain = call === undefined ? undefined : chainTo(tokens, place - 1);
    const value = tokens[place + 1];
    if (call === undefined || chain === undefined || value === undefined) continue;
    const column = textOf(sql, tokens, chain.first, chain.last);
    return {
      at: place,
      hint: `${call}(${name === 'icontains' ? `lower(${column})` : column}, ${shown(value)})`,
    };
  }
  const and = tokens.findIndex(({ text }) => text === '&&');
  return and < 0 ? undefined : { at: and, hint: 'write and instead of &&' };
}
