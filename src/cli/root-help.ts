import { existsSync, readFileSync, writeSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { isatty } from 'node:tty';

// The list of commands, as oclif's help prints it, without loading oclif: that takes longer than
// Node itself takes to start.

/** What the list says; scripts/manifest.mjs writes it to dist/commands.json. */
export interface HelpFacts {
  description: string;
  /** Name and version. */
  program: string;
  commands: { id: string; summary: string }[];
}

export interface HelpStyle {
  /** Columns of the screen. */
  width: number;
  bold(text: string): string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** oclif's widths: without a terminal, and at least. */
const usualWidth = 80;
const minWidth = 40;

/** oclif's list takes another form if a summary needs more lines. */
const maxLines = 5;

/**
 * Prints the list of commands if these arguments ask for it and for nothing else. False if oclif
 * has to print it, because a setting of oclif applies or standard output does not take the text.
 */
export async function printRootHelp(args: readonly string[], root: string): Promise<boolean> {
  const isAsked = args.length === 0 || (args.length === 1 && /^(--help|-h)$/.test(args[0] ?? ''));
  if (!isAsked || hasOwnTheme(process.env) || isWindowsLinux()) return false;
  try {
    const facts = JSON.parse(readFileSync(join(root, 'dist', 'commands.json'), 'utf8'));
    const text = rootHelp(facts, await styleOf(process.env));
    return text !== undefined && writeSync(1, text) === Buffer.byteLength(text);
  } catch {
    return false;
  }
}

/** Whether oclif finds colors in the user's configuration, or prints what it does. */
function hasOwnTheme({ DEBUG, SFKIT_CONFIG_DIR, XDG_CONFIG_HOME, HOME }: Environment): boolean {
  if (DEBUG || SFKIT_CONFIG_DIR || (!XDG_CONFIG_HOME && !HOME)) return true;
  const directory = XDG_CONFIG_HOME || join(HOME as string, '.config');
  return existsSync(join(directory, 'sfkit', 'theme.json'));
}

/** Linux on Windows, whose name oclif finds out. */
function isWindowsLinux(): boolean {
  const signs = ['/proc/sys/fs/binfmt_misc/WSLInterop', '/run/WSL'];
  return /microsoft/i.test(release()) || signs.some((path) => existsSync(path));
}

async function styleOf({ FORCE_COLOR, OCLIF_COLUMNS }: Environment): Promise<HelpStyle> {
  const isTerminal = isatty(1);
  const columns = isTerminal ? process.stdout.getWindowSize()[0] : 0;
  const ownWidth = columns < 1 ? usualWidth : Math.max(minWidth, columns);
  const width = Number.parseInt(OCLIF_COLUMNS ?? '', 10) || ownWidth;
  if (!isTerminal && FORCE_COLOR === undefined) return { width, bold: (text) => text };
  const { colorize } = await import('@oclif/core/ux');
  return { width, bold: (text) => colorize('bold', text) };
}

/** The text of the list; undefined if the screen is too narrow for it. */
export function rootHelp(facts: HelpFacts, { width, bold }: HelpStyle): string | undefined {
  const { description, program, commands } = facts;
  const arch = process.arch === 'ia32' ? 'x86' : process.arch;
  const version = wrapped(
    `${program} ${process.platform}-${arch} node-${process.version}`,
    width - 2,
  );
  const idWidth = Math.max(...commands.map(({ id }) => id.length));
  const lists = commands.map(({ summary }) => wrapped(summary, width - idWidth - 4));
  if (
    version === undefined ||
    lists.some((lines) => lines === undefined || lines.length > maxLines)
  )
    return undefined;
  const rows = commands.flatMap(({ id }, index) =>
    (lists[index] as string[]).map((line, row) => (row === 0 ? id : '').padEnd(idWidth + 2) + line),
  );
  const section = (header: string, lines: string[]) =>
    `${bold(header)}\n${lines.map((line) => `  ${line}`).join('\n')}\n\n`;
  return [
    `${description}\n\n`,
    section('VERSION', version),
    section('USAGE', ['$ sfkit [COMMAND]']),
    section('COMMANDS', rows),
  ].join('');
}

/** Lines of at most `width` characters; undefined if a word is longer. */
function wrapped(text: string, width: number): string[] | undefined {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    if (word.length > width) return undefined;
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
