import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './corpus.js';

export interface LiveEnd {
  exit: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

export interface LiveProcess {
  pid: number;
  /** Resolves when the probe runs. */
  capturing: Promise<void>;
  end(signal: NodeJS.Signals): Promise<LiveEnd>;
  /** Its output so far. */
  stdout(): string;
  ended: Promise<LiveEnd>;
}

/** Starts the command line in a separate process. */
export function startLive(args: readonly string[], command: readonly string[] = []): LiveProcess {
  const [program = process.execPath, ...before] = [...command, process.execPath];
  const child = spawn(program, [...before, join(root, 'bin', 'run.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  const capturing = new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
      if (stderr.includes('sfkit: capturing')) resolve();
    });
    child.on('close', () => reject(new Error(`capture did not begin: ${stderr}`)));
  });
  // Avoid an unhandled rejection if the caller does not await it.
  capturing.catch(() => {});
  const ended = new Promise<LiveEnd>((resolve) =>
    child.on('close', (exit, signal) => resolve({ exit, signal, stdout, stderr })),
  );
  return {
    pid: child.pid as number,
    capturing,
    end(signal) {
      child.kill(signal);
      return ended;
    },
    stdout: () => stdout,
    ended,
  };
}
