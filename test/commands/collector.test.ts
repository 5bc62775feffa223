import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Workplace } from '../helpers/cli.js';
import { root } from '../helpers/corpus.js';
import { liveTitle, noLive } from '../helpers/live.js';
import { seqpacketServer } from '../helpers/seqpacket.js';

// Every command of docs/collector.md runs, and its outputs exist.

const [page = ''] = readFileSync(join(root, 'docs/collector.md'), 'utf8').split('\n## sysprint\n');
const rows = page.split('\n').filter((line) => /^\| `/.test(line));
const commands = rows
  .map((line) => /`((?:[A-Z_]+=\S+ )?sfkit .*)` \|$/.exec(line)?.[1])
  .filter((command) => command !== undefined);
const scripts = [...page.matchAll(/```sh\n([^`]*)```/g)].map((match) => match[1] as string);

const isLive = (command: string) => /\bsfkit (live|doctor)\b(?!.*--help)/.test(command);
const place = new Workplace();
afterAll(() => place.remove());

/** The file, prefix or directory that a command names as its output. */
function outputOf(command: string): string | undefined {
  return /(?<= -o )\S+/.exec(command)?.[0];
}

/** Starts a consumer in the working directory of the commands. */
async function consumer(): Promise<ChildProcess> {
  const path = join(place.directory, 'sysflow.sock');
  const server = spawn(seqpacketServer as string, [path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(server.stdout, 'data');
  server.stdout.resume();
  return server;
}

async function check(command: string, environment: Record<string, string> = {}): Promise<void> {
  const server = command.includes('sysflow.sock') ? await consumer() : undefined;
  try {
    const variables = Object.entries(environment).map(([name, value]) => `${name}='${value}' `);
    const set = variables.map((assignment) => `export ${assignment}\n`).join('');
    const { exit, stderr, stdout } = await place.run(`${set}${command}`);
    expect([exit, stderr]).toEqual([0, expect.not.stringMatching(/lost: [^n]|usage|error/i)]);
    expect(stdout + stderr).not.toBe('');
    const output = outputOf(command);
    if (output === undefined || output.startsWith('"')) return;
    const names = readdirSync(place.directory);
    expect(
      output.endsWith('/')
        ? readdirSync(join(place.directory, output)).length
        : names.filter((name) => name.startsWith(output)).length,
    ).toBeGreaterThan(0);
  } finally {
    server?.kill('SIGKILL');
  }
}

const wanted = (live: boolean) => (command: string) =>
  isLive(command) === live && (seqpacketServer !== undefined || !command.includes('--socket'));

describe('docs/collector.md', () => {
  it('names every option, and every variable of the contract and of the image', () => {
    const left = rows.map((row) => row.split(' | ')[0]).join('\n');
    for (const option of 'r w u e G f c s p t k m d l v h')
      expect(left).toMatch(`-${option}`.trim());
    for (const variable of [
      ...['FILE_ONLY', 'ENABLE_PROC_FLOW', 'FILE_READ_MODE', 'NODE_IP', 'ENABLE_STATS'],
      ...['ENABLE_DROP_MODE', 'DRIVER_LOG', 'SF_K8S_API_URL', 'SF_K8S_API_CERT', 'GLOG_'],
      ...['FALCO_BPF_PROBE', 'INTERVAL', 'OUTPUT', 'EXPORTER_ID', 'FILTER', 'CRI_PATH'],
      ...['CRI_TIMEOUT', 'SOCK_FILE', 'SAMPLING_RATE', 'DEBUG', 'DRIVER_TYPE', 'HOST_ROOT'],
    ])
      expect(left).toContain(variable);
    expect(commands.length).toBeGreaterThan(30);
    for (const row of rows)
      expect(row).toMatch(/ \| (`.*sfkit .*`|none: .*|) ?\|$|: the collector ignores it/);
  });

  it.each(commands.filter(wanted(false)))('%s', (command) => check(command));

  it.each(scripts.filter(wanted(false)))('%s', (command) => check(command));
});

describe.skipIf(noLive !== undefined)(liveTitle('docs/collector.md'), () => {
  it.each(commands.filter(wanted(true)))('%s', (command) => check(command));

  it.each(scripts.filter((script) => isLive(script) && !script.includes('$OUTPUT')))(
    '%s',
    (command) => check(command),
  );

  it('translates the variables of the image', async () => {
    const script = scripts.find((text) => text.includes('$OUTPUT')) as string;
    await check(script, {
      OUTPUT: 'image/',
      INTERVAL: '1',
      EXPORTER_ID: 'a b',
      FILTER: 'container.name != sf-collector and evt.type != poll',
      SAMPLING_RATE: '2',
      CRI_PATH: '/run/none.sock',
      CRI_TIMEOUT: '0',
      DEBUG: '1',
    });
    const files = readdirSync(join(place.directory, 'image'));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(file).toMatch(/^live\.sf\.\d{10}/);
    expect(existsSync(join(place.directory, 'image', files[0] as string))).toBe(true);
  });
});
