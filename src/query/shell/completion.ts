import { readdirSync } from 'node:fs';
import { escapeForTerminal } from '../../engine/escape.js';
import { isWord, tablesNamed } from '../errors/tokens.js';
import type { SqlTable } from '../errors/types.js';
import { foldCase, meaningful, nameOf, type Token, tokensOf } from '../sql-tokens.js';

/** What completion knows. */
export interface Vocabulary {
  tables: readonly SqlTable[];
  functions: readonly string[];
  keywords: readonly string[];
  /** Saved queries, each with the names of its parameters. */
  queries: ReadonlyMap<string, readonly string[]>;
  /** Dot commands, each with the values of its argument. */
  commands: ReadonlyMap<string, ArgumentKind | readonly string[]>;
}

export type ArgumentKind = 'table' | 'file' | 'none';

/** The words that can stand at the cursor, and the part of the line that they replace. */
export type Completion = [candidates: string[], replaced: string];

/**
 * Completes the line before the cursor. `pending`: the lines of the statement above it. `after`:
 * the line after the cursor.
 */
export function complete(
  line: string,
  pending: string,
  vocabulary: Vocabulary,
  after = '',
): Completion {
  if (pending === '') {
    if (/^\s*\./.test(line)) return completeCommand(line.trimStart(), vocabulary);
    if (/^\s*@/.test(line)) return completeQuery(line.trimStart(), vocabulary);
  }
  return completeSql(pending + line, after, vocabulary);
}

function completeCommand(line: string, { commands, tables }: Vocabulary): Completion {
  const [, name, argument] = /^(\.\S*)\s+(.*)$/.exec(line) ?? [];
  if (name === undefined || argument === undefined)
    return matching(line, [...commands.keys()], ' ');
  const values = commands.get(name) ?? 'none';
  if (values === 'none') return [[], argument];
  if (values === 'file') return completeFile(argument);
  const known = values === 'table' ? namesOf(tables) : values;
  return matching(argument, known);
}

function completeQuery(line: string, { queries }: Vocabulary): Completion {
  const [, name, last] = /^(@\S+)(?:\s+\S+)*\s+(\S*)$/.exec(line) ?? [];
  if (name === undefined || last === undefined)
    return matching(
      line,
      [...queries.keys()].map((each) => `@${each}`),
      ' ',
    );
  const parameters = queries.get(name.slice(1)) ?? [];
  return matching(
    last,
    parameters.map((parameter) => `${parameter}=`),
  );
}

function completeFile(typed: string): Completion {
  const end = typed.lastIndexOf('/') + 1;
  try {
    const entries = readdirSync(end === 0 ? '.' : typed.slice(0, end), { withFileTypes: true });
    const names = entries
      .filter(({ name }) => !name.startsWith('.') || typed.slice(end).startsWith('.'))
      .map((entry) => `${typed.slice(0, end)}${entry.name}${entry.isDirectory() ? '/' : ''}`)
      .sort();
    return [shownOnly(names.filter((name) => name.startsWith(typed))), typed];
  } catch {
    return [[], typed];
  }
}

function completeSql(
  sql: string,
  after: string,
  { tables, functions, keywords }: Vocabulary,
): Completion {
  const all = tokensOf(sql);
  const last = all.at(-1);
  // A string is not completed.
  if (last?.isOpen || last?.kind === 'comment') return [[], ''];
  const typed = last !== undefined && isWord(last) ? last.text : '';
  const before = meaningful(typed === '' ? all : all.slice(0, -1));
  const named = tablesNamed(meaningful([...all, ...tokensOf(after)]), tables);
  const previous = before.at(-1);
  if (previous?.text === '.') {
    const owner = before.at(-2);
    const table = owner && named.find(({ aliases }) => aliases.includes(nameOf(owner)))?.table;
    const own =
      table ?? tables.find(({ name }) => owner !== undefined && foldCase(name) === nameOf(owner));
    return matching(typed, own === undefined ? [] : columnsOf([own]));
  }
  if (wantsTable(before)) return matching(typed, namesOf(tables));
  const inUse = named.length === 0 ? tables : named.map(({ table }) => table);
  const words = [...columnsOf(inUse), ...namesOf(tables)];
  if (typed === '') return matching(typed, words);
  const isUpper = typed === typed.toUpperCase() && typed !== typed.toLowerCase();
  const spelled = keywords.map((keyword) =>
    isUpper ? keyword.toUpperCase() : keyword.toLowerCase(),
  );
  return matching(typed, [...words, ...spelled, ...functions.map((name) => `${name}(`)]);
}

const beforeTables = new Set(['from', 'join', 'describe', 'summarize', 'into', 'table']);

function wantsTable(before: readonly Token[]): boolean {
  const last = before.at(-1);
  if (last?.kind === 'word' && beforeTables.has(last.text.toLowerCase())) return true;
  // A comma between tables.
  if (last?.text !== ',') return false;
  for (let index = before.length - 2; index >= 0; index--) {
    const token = before[index] as Token;
    if (token.kind === 'word' && token.text.toLowerCase() === 'from') return true;
    if (!isWord(token) && token.text !== ',') return false;
  }
  return false;
}

const plainName = /^[a-z_][a-z0-9_]*$/;

/** A name as SQL needs it. */
function spelledName(name: string): string {
  return plainName.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

const namesOf = (tables: readonly SqlTable[]): string[] =>
  tables.map(({ name }) => spelledName(name));

function columnsOf(tables: readonly SqlTable[]): string[] {
  return tables.flatMap(({ columns }) => columns.map(({ name }) => spelledName(name)));
}

/** The words that start with what is typed. `after`: what follows a word that is the only one. */
function matching(typed: string, words: readonly string[], after = ''): Completion {
  const wanted = typed.toLowerCase();
  const found = shownOnly([
    ...new Set(words.filter((word) => word.toLowerCase().startsWith(wanted))),
  ]);
  return [found.length === 1 ? [`${found[0]}${after}`] : found, typed];
}

/** Names can come from files; the terminal must not get their control characters. */
function shownOnly(words: readonly string[]): string[] {
  return words.filter((word) => escapeForTerminal(word) === word);
}
