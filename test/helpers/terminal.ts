import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { until } from './until.js';

export const hasScript =
  spawnSync('script', ['-qec', 'true', '/dev/null'], { stdio: ['pipe', 'pipe', 'pipe'] }).status ===
  0;

export interface TerminalOptions {
  cwd: string;
  columns?: number;
  rows?: number;
  env?: Record<string, string>;
}

/**
 * A shell command that runs on a pseudo-terminal, created by `script` (util-linux), and waits for
 * keys.
 */
export class Terminal {
  readonly #child: ChildProcessWithoutNullStreams;
  #text = '';
  /** Where the text after the last awaited one starts. */
  #seen = 0;
  #exit: number | null | undefined;

  constructor(command: string, { cwd, columns = 100, rows = 200, env = {} }: TerminalOptions) {
    const { NO_COLOR, FORCE_COLOR, PAGER, LESS, ...own } = process.env;
    // Ctrl-C goes to the command; the shell waits for its end.
    const script = `trap : INT; stty cols ${columns} rows ${rows}; ${command}`;
    this.#child = spawn('script', ['-qec', script, '/dev/null'], {
      cwd,
      env: { ...own, TERM: 'xterm', NO_COLOR: '1', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child.stdout.setEncoding('utf8').on('data', (part) => {
      this.#text += part;
    });
    this.#child.on('close', (exit) => {
      this.#exit = exit;
    });
  }

  type(keys: string): void {
    this.#child.stdin.write(keys);
  }

  /**
   * Waits for a text; returns what came before it since the last one, without the codes that move
   * the cursor.
   */
  async shows(text: string): Promise<string> {
    let place = -1;
    await until(() => {
      place = this.#text.indexOf(text, this.#seen);
      if (place < 0 && this.#exit !== undefined)
        throw new Error(`ended without ${JSON.stringify(text)}:\n${this.#text}`);
      return place >= 0;
    }).catch((error) => {
      throw new Error(
        `${error.message}\n${JSON.stringify(text)} is not in:\n${this.#text.slice(this.#seen)}`,
      );
    });
    const before = this.#text.slice(this.#seen, place);
    this.#seen = place + text.length;
    return before.replaceAll('\r\n', '\n').replace(/\x1b\[[\d;]*[A-Za-z]/g, '');
  }

  /** Waits for the end; returns the exit code. */
  async ended(): Promise<number | null> {
    await until(() => this.#exit !== undefined);
    return this.#exit ?? null;
  }

  /** Ends the command if it still runs. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
