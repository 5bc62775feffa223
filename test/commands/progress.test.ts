import { execFileSync } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { root } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';
import { hasScript, Terminal } from '../helpers/terminal.js';

const sfkit = `${process.execPath} ${join(root, 'bin/run.js')}`;
const capture = join(root, 'fixtures/incident.scap');
const directory = testDirectory();
const quiet = { CI: '', XDG_CACHE_HOME: directory.path('cache') };
const endless = 'select sum(hash(range)) from range(1000000000000)';

let terminal: Terminal | undefined;

function start(args: string, env: Record<string, string> = quiet): Terminal {
  terminal = new Terminal(`${sfkit} ${args}`, { cwd: directory.path('.'), env });
  return terminal;
}

afterEach(() => terminal?.kill());

describe.skipIf(!hasScript)('a command that takes over a second (needs script)', () => {
  it('shows how far it has read, and removes the line', async () => {
    const pipe = directory.path('pipe');
    execFileSync('mkfifo', [pipe]);
    // Sections that follow each other are one capture.
    const bytes = Buffer.concat(new Array(40).fill(readFileSync(capture)));
    const run = start(`convert ${pipe} -f csv -o rows.csv`);
    const input = createWriteStream(pipe);
    input.write(bytes.subarray(0, bytes.length - 1));
    await run.shows('pipe: ');
    await run.shows(' MB/s, ');
    await run.shows(' events');
    input.end(bytes.subarray(bytes.length - 1));
    await run.shows('\r\x1b[K');
    expect(await run.ended()).toBe(0);
  });

  it('shows how long SQL has run', async () => {
    const run = start(`query ${capture} '${endless}'`);
    await run.shows('SQL: ');
    run.type('\x03');
    expect(await run.ended()).toBe(130);
  });

  it('shows it in the shell too, after each answer', async () => {
    const run = start(`query ${capture} --no-history`);
    await run.shows('sfkit> ');
    for (let count = 0; count < 2; count++) {
      run.type(`${endless};\n`);
      await run.shows('SQL: ');
      await run.shows('SQL: ');
      run.type('\x03');
      await run.shows('interrupted');
      await run.shows('sfkit> ');
      run.type('select 6 * 7;\n');
      await run.shows('42');
      await run.shows('sfkit> ');
    }
    run.type('\x04');
    expect(await run.ended()).toBe(0);
  });

  it('shows nothing in CI', async () => {
    const sql = 'select count(distinct hash(range)) from range(8000000)';
    const inCi = start(`query ${capture} '${sql}'`, { ...quiet, CI: 'true' });
    const shown = await inCi.shows('8000000');
    expect(await inCi.ended()).toBe(0);
    expect(shown).not.toContain('SQL: ');
  });
});
