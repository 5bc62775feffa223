import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { History, historyFile } from '../../../src/query/shell/history.js';
import { testDirectory } from '../../helpers/directory.js';

const scratch = testDirectory();
const isRoot = process.geteuid?.() === 0;

async function opened(path: string | undefined): Promise<History> {
  const history = new History(path);
  await history.load();
  return history;
}

describe('the history file', () => {
  it.each([
    [{ SFKIT_HISTORY: '/a/b' }, '/a/b'],
    [{ SFKIT_HISTORY: '', XDG_STATE_HOME: '/state' }, undefined],
    [{ XDG_STATE_HOME: '/state' }, '/state/sfkit/query-history'],
  ])('%j', (environment, path) => {
    expect(historyFile(environment)).toBe(path);
  });

  it('is in the home directory by default', () => {
    expect(historyFile({})).toMatch(/\/\.local\/state\/sfkit\/query-history$/);
  });

  it('is private, and its directory too', async () => {
    const path = scratch.path('state/sfkit/history');
    (await opened(path)).add('select 1;');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(scratch.path('state/sfkit')).mode & 0o777).toBe(0o700);
    chmodSync(path, 0o644);
    await opened(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('keeps entries for the next shell, newest first and each once', async () => {
    const path = scratch.path('kept');
    const first = await opened(path);
    const other = await opened(path);
    for (const entry of ['one;', 'two;', 'two;', 'one;', '  ']) first.add(entry);
    other.add('three;');
    expect(first.entries).toEqual(['one;', 'two;']);
    expect((await opened(path)).entries).toEqual(['three;', 'one;', 'two;']);
  });

  it('joins the lines of a statement, unless strings or comments need them', async () => {
    const history = await opened(undefined);
    history.add('select 1,\n  2\nfrom x;');
    expect(history.entries).toEqual(['select 1, 2 from x;']);
    history.add("select 'a\nb';");
    history.add('select 1 -- one\n;');
    expect(history.entries).toEqual([
      ';',
      'select 1 -- one',
      "b';",
      "select 'a",
      'select 1, 2 from x;',
    ]);
  });

  it('is bounded, and ignores lines with control characters', async () => {
    const path = scratch.path('long');
    writeFileSync(
      path,
      `${Array.from({ length: 5000 }, (_, index) => `select ${index};\n`).join('')}\x1b[2J;\n`,
    );
    const history = await opened(path);
    expect(history.entries).toHaveLength(1000);
    expect(history.entries[0]).toBe('select 4999;');
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(1001);
    history.add(`select '${'x'.repeat(30_000)}';`);
    expect(history.entries[0]).toBe('select 4999;');
    writeFileSync(path, 'x'.repeat(5_000_000));
    expect((await opened(path)).entries).toEqual([]);
  });

  it('may be a link to /dev/null', async () => {
    const path = scratch.path('none');
    symlinkSync('/dev/null', path);
    const history = await opened(path);
    history.add('select 1;');
    expect(history.problem).toBeUndefined();
    expect((await opened(path)).entries).toEqual([]);
  });

  it.skipIf(isRoot)(
    'that cannot be written is reported (needs a user other than root)',
    async () => {
      mkdirSync(scratch.path('closed'), { mode: 0o500 });
      const history = await opened(scratch.path('closed/history'));
      expect(history.problem).toMatch(/the history is not kept: .*permission denied/);
    },
  );

  it('below a file is reported, and the entries stay in memory', async () => {
    writeFileSync(scratch.path('file'), '');
    const history = await opened(scratch.path('file/history'));
    expect(history.problem).toMatch(/^the history is not kept: .*file\/history: /);
    history.add('select 1;');
    expect(history.entries).toEqual(['select 1;']);
  });
});
