import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fixtures, root } from './corpus.js';

export interface CliResult {
  stdout: string;
  stderr: string;
  exit: number;
}

/** Maximum ms for a script: far more than any command needs, for each command that it starts. */
export function budgetOf(script: string): number {
  return 120_000 * Math.max(1, script.match(/\bsfkit\b/g)?.length ?? 0);
}

/** A working directory that contains only `fixtures`, with the built `sfkit` in the path. */
export class Workplace {
  readonly directory = mkdtempSync(join(tmpdir(), 'sfkit-cli-'));
  readonly #bin = mkdtempSync(join(tmpdir(), 'sfkit-bin-'));

  constructor() {
    symlinkSync(fixtures, join(this.directory, 'fixtures'));
    const shim = join(this.#bin, 'sfkit');
    writeFileSync(
      shim,
      `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'bin', 'run.js')}" "$@"\n`,
    );
    chmodSync(shim, 0o755);
    mkdirSync(join(this.#bin, 'home'));
  }

  /** Runs a shell script. */
  run(script: string): Promise<CliResult> {
    const env = {
      ...process.env,
      PATH: this.#bin + delimiter + process.env.PATH,
      HOME: join(this.#bin, 'home'),
      XDG_CACHE_HOME: '',
      SFKIT_CACHE_SIZE: '',
      COLUMNS: '80',
    };
    const child = spawn('bash', ['-c', script], {
      cwd: this.directory,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (exit) => resolve({ stdout, stderr, exit: exit ?? -1 }));
    });
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
    rmSync(this.#bin, { recursive: true });
  }
}
