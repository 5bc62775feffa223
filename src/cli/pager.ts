import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Writable } from 'node:stream';
import { defaultColumns } from '../draw/screen.js';
import { textWidth } from '../draw/width.js';
import { OutputLost } from '../engine/errors.js';
import { type ByteSink, stdoutSink } from '../output/sink.js';
import { discardOnSignals } from './endings.js';
import { holdProgress, releaseProgress } from './progress.js';

/** Settings of the pager and its terminal. */
export interface PagerSettings {
  /** The shell command that shows its standard input. */
  command: string;
  /** Output with at least this number of lines goes through the pager. */
  lines: number;
  /** Width of the terminal; longer lines count as several. */
  columns: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The pager for standard output; undefined without an interactive terminal. */
export function pagerSettings(environment: Environment = process.env): PagerSettings | undefined {
  const { stdin, stdout } = process;
  if (!stdout.isTTY || !stdin.isTTY || !stdout.rows || environment.TERM === 'dumb')
    return undefined;
  const command = pagerCommand(environment);
  return command === undefined
    ? undefined
    : { command, lines: stdout.rows, columns: stdout.columns || defaultColumns };
}

/** $SFKIT_PAGER, $PAGER or less. An empty value and cat mean no pager. */
export function pagerCommand({ SFKIT_PAGER, PAGER, PATH }: Environment): string | undefined {
  const command = SFKIT_PAGER ?? PAGER ?? (isInstalled('less', PATH) ? 'less' : '');
  return command.trim() === '' || command.trim() === 'cat' ? undefined : command;
}

function isInstalled(program: string, path = ''): boolean {
  return path.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return directory !== '';
    } catch {
      return false;
    }
  });
}

/** Standard output, through the pager if the output exceeds the screen and no flag forbids it. */
export function standardOutput(flags: { 'no-pager': boolean }): ByteSink {
  const settings = flags['no-pager'] ? undefined : pagerSettings();
  return settings === undefined ? stdoutSink() : new PagedOutput(settings);
}

/** Resolves when no pager uses the screen, so that messages do not disturb it. */
export function pagerEnded(): Promise<unknown> {
  return running;
}

let running: Promise<unknown> = Promise.resolve();

/** Bytes to keep in case the pager does not exist. */
const keptBytes = 1 << 20;

class PagedOutput implements ByteSink {
  readonly #settings: PagerSettings;
  readonly #screen = stdoutSink();
  /**
   * Everything written so far, to print directly if the pager does not exist; undefined beyond the
   * limit.
   */
  #kept: Buffer[] | undefined = [];
  #keptSize = 0;
  #lines = 0;
  #pager: Pager | undefined;
  /** The pager does not exist; write directly. */
  #isDirect = false;

  constructor(settings: PagerSettings) {
    this.#settings = settings;
  }

  async write(chunk: Uint8Array | string): Promise<void> {
    if (this.#isDirect) return this.#screen.write(chunk);
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk);
    this.#keep(bytes);
    if (this.#pager !== undefined) return this.#writeToPager(bytes);
    this.#lines += screenLines(bytes.toString(), this.#settings.columns);
    if (this.#lines < this.#settings.lines && this.#keptSize < keptBytes) return;
    this.#pager = startPager(this.#settings.command);
    await this.#writeToPager(Buffer.concat(this.#kept ?? []));
  }

  async close(): Promise<void> {
    if (this.#pager === undefined && !this.#isDirect) await this.#toScreen();
    if (this.#pager === undefined) return this.#screen.close();
    this.#pager.input.end();
    if (isMissing(await this.#pager.exit)) await this.#toScreen();
  }

  discard(): void {
    this.#pager?.input.end();
  }

  #keep(bytes: Buffer): void {
    this.#keptSize += bytes.length;
    if (this.#pager !== undefined && this.#keptSize > keptBytes) this.#kept = undefined;
    this.#kept?.push(bytes);
  }

  async #writeToPager(bytes: Buffer): Promise<void> {
    const pager = this.#pager as Pager;
    const wasTaken = await new Promise<boolean>((resolve) => {
      pager.input.write(bytes, (error) => resolve(error == null));
    });
    if (wasTaken) return;
    if (isMissing(await pager.exit)) return this.#toScreen();
    // The user closed the pager, like the reader of a pipe.
    throw new OutputLost(Object.assign(new Error('the pager ended'), { code: 'EPIPE' }));
  }

  async #toScreen(): Promise<void> {
    const kept = this.#kept ?? [];
    this.#pager = undefined;
    this.#kept = undefined;
    this.#isDirect = true;
    for (const bytes of kept) await this.#screen.write(bytes);
  }
}

const colors = /\x1b\[\d+m/g;

/** The number of screen lines that complete lines of text take. */
function screenLines(text: string, columns: number): number {
  const lines = text.replace(colors, '').replace(/\n$/, '').split('\n');
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(textWidth(line) / columns)), 0);
}

/** The shell's exit codes for a command that is missing or not executable. */
const isMissing = (code: number | null): boolean => code === 126 || code === 127;

interface Pager {
  input: Writable;
  exit: Promise<number | null>;
}

function startPager(command: string): Pager {
  holdProgress();
  const child = spawn('/bin/sh', ['-c', command], {
    stdio: ['pipe', 'inherit', 'inherit'],
    // The usual settings: quit if everything fits the screen, keep colors, leave the text on the
    // screen.
    env: { LESS: 'FRX', LESSCHARSET: 'utf-8', LV: '-c', ...process.env },
  }) as ChildProcess & { stdin: Writable };
  child.stdin.on('error', () => {});
  // The pager handles Ctrl-C; this process only stops its output.
  process.removeAllListeners('SIGINT');
  process.on('SIGINT', () => child.stdin.destroy());
  const exit = new Promise<number | null>((resolve) => {
    child.on('error', () => resolve(127));
    child.on('exit', resolve);
  });
  running = exit.then(() => {
    discardOnSignals();
    releaseProgress();
  });
  return { input: child.stdin, exit };
}
