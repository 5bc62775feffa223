import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
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
  /** Resolves when a file of this name shows: the probe is at work then. */
  appears(path: string): Promise<void>;
  end(signal: NodeJS.Signals): Promise<LiveEnd>;
  ended: Promise<LiveEnd>;
}

/** Starts the command line as a process of its own. */
export function startLive(args: readonly string[], command: readonly string[] = []): LiveProcess {
  const [program = process.execPath, ...before] = [...command, process.execPath];
  const child = spawn(program, [...before, join(root, 'bin', 'run.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const ended = new Promise<LiveEnd>((resolve) =>
    child.on('close', (exit, signal) => resolve({ exit, signal, stdout, stderr })),
  );
  return {
    pid: child.pid as number,
    async appears(path) {
      const deadline = Date.now() + 30_000;
      while (!existsSync(path)) {
        if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${path} does not appear: ${stderr}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      // The file is there as soon as the probe is loaded; attaching it takes some milliseconds more.
      await new Promise((resolve) => setTimeout(resolve, 500));
    },
    end(signal) {
      child.kill(signal);
      return ended;
    },
    ended,
  };
}
