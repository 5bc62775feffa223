import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach } from 'vitest';
import { root } from './corpus.js';
import { sysflowType, unwrap } from './datums.js';

// A consumer of records as the processor of the SysFlow project is one: it listens on a unix socket
// of type SOCK_SEQPACKET and decodes each message as one datum, here with avsc.

/** The program that receives; undefined if it is not built. */
export const seqpacketServer = ['.', 'Release']
  .map((folder) => join(root, 'native/build', folder, 'sfkit_seqpacket_server'))
  .find((path) => existsSync(path));

export interface Message {
  name: string;
  fields: Record<string, unknown>;
}

export interface Server {
  process: ChildProcess;
  /** Messages received so far, decoded with the schema; each must be exactly one datum. */
  messages: Message[];
  /** Length of the longest message, in bytes. */
  longest(): number;
  ended: Promise<unknown>;
}

const type = sysflowType();
const running: Server[] = [];
afterEach(() => {
  for (const { process } of running.splice(0)) process.kill('SIGKILL');
});

/** Starts a consumer; resolves when it listens. */
export async function listen(path: string, ...args: string[]): Promise<Server> {
  const process = spawn(seqpacketServer as string, [path, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: process.stdout });
  const messages: Message[] = [];
  let longest = 0;
  const listening = once(lines, 'line');
  const result = {
    process,
    messages,
    longest: () => longest,
    ended: once(lines, 'close'),
  };
  running.push(result);
  await listening;
  lines.on('line', (line) => {
    const message = Buffer.from(line, 'hex');
    longest = Math.max(longest, message.length);
    messages.push(unwrap(type.fromBuffer(message)));
  });
  return result;
}
