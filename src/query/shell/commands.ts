import { readFileSync } from 'node:fs';
import { SfkitError } from '../../engine/errors.js';
import { nearest } from '../../engine/nearest.js';
import { either, similarNames } from '../errors/names.js';
import { queriesText } from '../saved/listing.js';
import { foldCase } from '../sql-tokens.js';
import type { ArgumentKind } from './completion.js';
import { columnsText, helpText, tablesText } from './listing.js';
import { type Mode, modes } from './settings.js';
import type { Shell } from './shell.js';

/** A command of the shell; its name starts with a dot. */
export interface DotCommand {
  name: string;
  /** With its argument. */
  usage: string;
  does: string;
  argument: ArgumentKind | readonly string[];
  run(shell: Shell, argument: string): Promise<void> | void;
}

export const dotCommands: readonly DotCommand[] = [
  {
    name: '.tables',
    usage: '.tables',
    does: 'list the tables',
    argument: 'none',
    run: async (shell) => shell.show(tablesText(await shell.tables(), shell.screen())),
  },
  {
    name: '.schema',
    usage: '.schema [TABLE]',
    does: 'list the columns of a table, or of all tables',
    argument: 'table',
    run: async (shell, argument) => {
      const tables = await shell.tables();
      const wanted = foldCase(argument.replace(/^"(.*)"$/, '$1'));
      const chosen =
        wanted === '' ? tables : tables.filter(({ name }) => foldCase(name) === wanted);
      const names = tables.map(({ name }) => name);
      if (chosen.length === 0)
        refuse(`no table '${argument}'${advice(similarNames(wanted, names), names)}`);
      await shell.show(columnsText(chosen, shell.screen()));
    },
  },
  {
    name: '.mode',
    usage: `.mode [${modes.join('|')}]`,
    does: 'set the format of answers; line: one line per value',
    argument: modes,
    run: async (shell, argument) => {
      if (argument === '') return shell.show(`${shell.settings.mode}\n`);
      const mode = modes.find((each) => each === argument.toLowerCase());
      if (mode === undefined) refuse(`.mode ${argument}: expected ${either(modes)}`);
      shell.settings.mode = mode as Mode;
    },
  },
  {
    name: '.rows',
    usage: '.rows [N|all]',
    does: 'draw at most N rows of an answer on the terminal',
    argument: ['all'],
    run: async (shell, argument) => {
      if (argument === '') return shell.show(`${shell.settings.limit ?? 'all'}\n`);
      if (argument !== 'all' && !/^[1-9]\d{0,8}$/.test(argument))
        refuse(`.rows ${argument}: expected a number or all`);
      shell.settings.limit = argument === 'all' ? undefined : Number(argument);
    },
  },
  {
    name: '.timer',
    usage: '.timer on|off',
    does: 'show how long each statement takes',
    argument: ['on', 'off'],
    run: (shell, argument) => {
      if (argument !== 'on' && argument !== 'off') refuse(`.timer ${argument}: expected on or off`);
      shell.settings.showsTime = argument === 'on';
    },
  },
  {
    name: '.output',
    usage: '.output FILE|stdout',
    does: 'write answers to a file, which is complete after .output stdout or .quit',
    argument: 'file',
    run: (shell, argument) =>
      shell.redirect(argument === '' || argument === 'stdout' ? undefined : argument),
  },
  {
    name: '.save',
    usage: '.save FILE.duckdb',
    does: 'write all tables to a DuckDB database, which needs no sfkit',
    argument: 'file',
    run: async (shell, argument) => {
      if (!/\.duckdb$/.test(argument))
        refuse(`.save ${argument}: expected a file name that ends in .duckdb`);
      await shell.save(argument);
    },
  },
  {
    name: '.queries',
    usage: '.queries',
    does: 'list the saved queries; @NAME PARAMETER=VALUE … runs one',
    argument: 'none',
    run: (shell) => shell.show(queriesText(shell.screen())),
  },
  {
    name: '.read',
    usage: '.read FILE',
    does: 'run the statements of a file',
    argument: 'file',
    run: async (shell, argument) => {
      if (argument === '') refuse('.read needs a file');
      await shell.read(readText(argument));
    },
  },
  {
    name: '.help',
    usage: '.help',
    does: 'list these commands',
    argument: 'none',
    run: (shell) => shell.show(helpText([...dotCommands, ...keys], shell.screen())),
  },
  {
    name: '.quit',
    usage: '.quit',
    does: 'leave the shell, like Ctrl-D',
    argument: 'none',
    run: (shell) => shell.leave(),
  },
];

const keys = [
  { usage: 'SQL;', does: 'run a statement; it can have several lines, and ends with a semicolon' },
  {
    usage: 'Tab',
    does: 'complete tables, columns, functions, keywords, commands, queries and files',
  },
  { usage: 'Ctrl-C', does: 'cancel the statement, or clear what you typed' },
];

/** Words that people type to leave or to get help. */
const aliases: Readonly<Record<string, string>> = {
  exit: '.quit',
  quit: '.quit',
  help: '.help',
  '.exit': '.quit',
  '\\q': '.quit',
  '\\d': '.schema',
  '\\dt': '.tables',
  '\\?': '.help',
};

/**
 * The command and its argument, if a line is one; throws if the line starts with a dot and is none.
 */
export function dotCommandIn(line: string): { command: DotCommand; argument: string } | undefined {
  const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(line.trim().replace(/;\s*$/, '')) ?? [];
  const lower = word.toLowerCase();
  const isAlias = Object.hasOwn(aliases, lower) && (rest === '' || lower.startsWith('\\'));
  const name = isAlias ? (aliases[lower] as string) : lower;
  if (!name.startsWith('.') || /^\.\d/.test(name)) return undefined;
  const command = dotCommands.find((each) => each.name === name);
  if (command !== undefined) return { command, argument: unquoted(rest.trim()) };
  const near = nearest(
    name,
    dotCommands.map((each) => each.name),
  );
  throw refusal(
    `no command ${word}; ${near === undefined ? '.help lists them' : `did you mean ${near}?`}`,
  );
}

/** A file name in quotes. */
function unquoted(text: string): string {
  return /^(['"]).*\1$/.test(text) && text.length > 1 ? text.slice(1, -1) : text;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SfkitError(
      'INPUT_NOT_FOUND',
      `${path}: cannot be read: ${(error as NodeJS.ErrnoException).code}`,
    );
  }
}

function advice(similar: readonly string[], names: readonly string[]): string {
  return similar.length > 0
    ? `; did you mean ${either(similar)}?`
    : `; tables: ${names.join(', ')}`;
}

const refusal = (message: string): SfkitError => new SfkitError('INVALID_ARGUMENT', message);

function refuse(message: string): never {
  throw refusal(message);
}
