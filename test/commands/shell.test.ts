import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { textWidth } from '../../src/draw/width.js';
import { fixtures, root } from '../helpers/corpus.js';
import { hasScript, Terminal, type TerminalOptions } from '../helpers/terminal.js';

// The shell of `sfkit query`, used as a person would, on a pseudo-terminal.

if (!hasScript) console.warn('skipped: terminals need script of util-linux');

const timeout = 400_000;
const prompt = 'sfkit> ';
const morePrompt = '  ...> ';
const capture = join(fixtures, 'incident.scap');

let directory: string;
const open: Terminal[] = [];
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-shell-'));
});
afterEach(() => {
  for (const terminal of open.splice(0)) terminal.kill();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const path = (name: string) => join(directory, name);

interface Start extends Partial<TerminalOptions> {
  args?: string;
  inputs?: string;
}

/** Starts a shell and waits for its prompt. */
async function start({
  args = '',
  inputs = `'${capture}'`,
  env,
  ...options
}: Start = {}): Promise<Terminal> {
  const command = `'${process.execPath}' '${join(root, 'bin/run.js')}' query ${inputs} ${args}`;
  const terminal = new Terminal(command, {
    cwd: directory,
    env: { HOME: directory, XDG_STATE_HOME: '', SFKIT_PAGER: '', ...env },
    ...options,
  });
  open.push(terminal);
  await terminal.shows(prompt);
  return terminal;
}

/** Enters a line; returns its answer. */
async function ask(terminal: Terminal, line: string): Promise<string> {
  terminal.type(`${line}\n`);
  await terminal.shows('\n');
  return terminal.shows(prompt);
}

async function leave(terminal: Terminal): Promise<void> {
  terminal.type('\x04');
  expect(await terminal.ended()).toBe(0);
}

describe.runIf(hasScript)('the shell (needs script)', { timeout }, () => {
  it('answers statements, of one line or several, until Ctrl-D', async () => {
    const terminal = await start();
    expect(await ask(terminal, 'select 40 + 2 as answer;')).toContain('│     42 │');
    terminal.type("select 'a;\n");
    await terminal.shows(morePrompt);
    terminal.type("b' as text, -- ;\n");
    await terminal.shows(morePrompt);
    expect(await ask(terminal, '$$c;$$ as more;')).toContain('│ a;\\x0ab │ c;   │');
    expect(await ask(terminal, 'select 1 as one; select 2 as two;')).toMatch(/│ +1 │[\s\S]*│ +2 │/);
    await leave(terminal);
  });

  it('makes tables of captures on demand, and adds columns and rows', async () => {
    const terminal = await start();
    const count = async (sql: string) => Number(/│ +(\d+) │/.exec(await ask(terminal, sql))?.[1]);
    const openat = await count("select count(*) from events where type = 'openat';");
    expect(openat).toBeGreaterThan(0);
    expect(await count("select count(comm) from events where type = 'openat';")).toBe(openat);
    const closed = await count("select count(*) from events where type = 'close';");
    expect(closed).toBeGreaterThan(0);
    expect(await count('select count(distinct type) from events;')).toBeGreaterThan(2);
    expect(await count("select count(comm) from events where type in ('close', 'openat');")).toBe(
      openat + closed,
    );
    expect(await count('select count(*) from processes;')).toBeGreaterThan(3);
    await leave(terminal);
  });

  it('shows errors with their place, and goes on', async () => {
    const terminal = await start();
    const answer = await ask(terminal, 'select proc.exe from network_flow;');
    expect(answer).toBe(
      "no column 'proc.exe'\n  select proc.exe from network_flow\n         ^\n  hint: network_flow has it as proc_exe\n",
    );
    expect(await ask(terminal, 'selec 1;')).toContain('  hint: did you mean select?\n');
    expect(await ask(terminal, '.tabels')).toBe('no command .tabels; did you mean .tables?\n');
    expect(await ask(terminal, '@conections')).toContain("did you mean '@connections'?");
    expect(await ask(terminal, "install 'x';")).toContain(
      'INSTALL, LOAD and UPDATE EXTENSIONS are not allowed',
    );
    expect(await ask(terminal, 'select fd_nam from events;')).toContain('did you mean fd_name?');
    expect(await ask(terminal, 'select 1 as one;')).toContain('│   1 │');
    await leave(terminal);
  });

  it('Ctrl-C cancels a statement, and clears what is typed', async () => {
    const terminal = await start();
    // The timer's line before it means that the shell runs the next statement.
    await ask(terminal, '.timer on');
    terminal.type('select 1 as one; select count(*) from range(100000000000);\n');
    await terminal.shows(' s\r\n');
    terminal.type('\x03');
    expect(await terminal.shows(prompt)).toContain('interrupted\n');
    terminal.type('select 1,\n');
    await terminal.shows(morePrompt);
    terminal.type('  two');
    await terminal.shows('two');
    terminal.type('\x03');
    await terminal.shows('^C');
    await terminal.shows(prompt);
    expect(await ask(terminal, 'select 3 as three;')).toContain('│     3 │');
    await leave(terminal);
  });

  it('Ctrl-C stops reading a file of statements', async () => {
    writeFileSync(
      path('slow.sql'),
      'select 1 as one;\nselect count(*) from range(100000000000);\nselect 7 as seven;\n',
    );
    const terminal = await start();
    await ask(terminal, '.timer on');
    terminal.type('.read slow.sql\n');
    await terminal.shows(' s\r\n');
    terminal.type('\x03');
    expect(await terminal.shows(prompt)).not.toContain('seven');
    await leave(terminal);
  });

  it('Tab completes tables, columns, commands and queries', async () => {
    const terminal = await start();
    const complete = async (typed: string, completed: string) => {
      terminal.type(typed);
      await terminal.shows(typed);
      terminal.type('\t');
      await terminal.shows(completed);
    };
    await complete('select coun', 't');
    terminal.type('\x03');
    await terminal.shows(prompt);
    await complete('from network_f', 'low');
    await complete(' where net_dpo', 'rt');
    terminal.type('\x03');
    await terminal.shows(prompt);
    await complete('.ta', 'bles ');
    terminal.type('\x03');
    await terminal.shows(prompt);
    await complete('@bottle', 'necks ');
    expect(await ask(terminal, '')).toContain('milliseconds');
    await leave(terminal);
  });

  it('.mode sets the format, and .rows the number of rows', async () => {
    const terminal = await start();
    await ask(terminal, '.mode line');
    expect(await ask(terminal, "select 'x' as first, null as second;")).toMatch(
      /^─\[ 1 ]─┬─*\nfirst +│ x\nsecond │ null\n$/,
    );
    await ask(terminal, '.mode json');
    expect(
      await ask(terminal, "select 'x\x1b[2J' as a;".replace('\x1b', "' || chr(27) || '")),
    ).toBe('[\n  {"a":"x\\u001b[2J"}\n]\n');
    await ask(terminal, '.mode csv');
    expect(await ask(terminal, "select 'x' as a;")).toMatch(/^a\s+x\s+$/);
    expect(await ask(terminal, '.mode xml')).toContain(
      'expected table, line, csv, json, jsonl or markdown',
    );
    await ask(terminal, '.mode table');
    await ask(terminal, '.rows 2');
    expect(await ask(terminal, 'from range(5);')).toContain(
      '… 3 more rows (.rows N draws N of them, .rows all draws all)',
    );
    await ask(terminal, '.rows all');
    expect(await ask(terminal, 'from range(150);')).toContain('│   149 │');
    expect(await ask(terminal, 'explain select 1;')).toContain('DUMMY_SCAN');
    await leave(terminal);
  });

  it('.output writes answers to a file until .output stdout', async () => {
    const terminal = await start();
    await ask(terminal, '.mode csv');
    await ask(terminal, '.output answers.csv');
    expect(await ask(terminal, 'select 1 as one;')).toBe('');
    expect(await ask(terminal, 'select nope;')).toContain("no column 'nope'");
    await ask(terminal, 'select 2 as two;');
    expect(existsSync(path('answers.csv'))).toBe(false);
    await ask(terminal, '.output stdout');
    expect(readFileSync(path('answers.csv'), 'utf8')).toBe('one\r\n1\r\ntwo\r\n2\r\n');
    await ask(terminal, '.output left.csv');
    await ask(terminal, 'select 3 as three;');
    expect(await ask(terminal, '.output missing/x.csv')).toContain('missing/x.csv');
    expect(readFileSync(path('left.csv'), 'utf8')).toBe('three\r\n3\r\n');
    await ask(terminal, '.output last.csv');
    await ask(terminal, 'select 4 as four;');
    terminal.type('.quit\n');
    expect(await terminal.ended()).toBe(0);
    expect(readFileSync(path('last.csv'), 'utf8')).toBe('four\r\n4\r\n');
  });

  it('.tables, .schema, .queries and .help list what there is', async () => {
    const terminal = await start();
    expect(await ask(terminal, '.tables')).toMatch(/│ network_flow +│ +\d+ │/);
    expect(await ask(terminal, '.schema process')).toMatch(
      /│ proc_exe +│ VARCHAR +│ path of the executable/,
    );
    expect(await ask(terminal, '.schema proces')).toBe(
      "no table 'proces'; did you mean process, processes or process_flow?\n",
    );
    expect(await ask(terminal, '.queries')).toMatch(/│ @connections +│/);
    const help = await ask(terminal, 'help');
    for (const name of [
      '.tables',
      '.schema',
      '.mode',
      '.timer',
      '.output',
      '.save',
      '.read',
      '.quit',
    ])
      expect(help).toContain(name);
    await ask(terminal, 'create table own as select 1 as number;');
    expect(await ask(terminal, '.schema own')).toMatch(/│ number +│ INTEGER +│/);
    await leave(terminal);
  });

  it('.save writes a database that needs no sfkit', async () => {
    const terminal = await start();
    await ask(terminal, 'create table own as select 7 as number;');
    await ask(terminal, 'select * from processes limit 1;');
    expect(await ask(terminal, '.save kept.duckdb')).toMatch(
      /^kept\.duckdb: \d+ tables; not events\b/,
    );
    expect(await ask(terminal, '.save kept.db')).toContain(
      'expected a file name that ends in .duckdb',
    );
    expect(await ask(terminal, '.save missing/kept.duckdb')).toContain(
      'cannot write missing/kept.duckdb',
    );
    expect(await ask(terminal, 'select number from own;')).toContain('│      7 │');
    await leave(terminal);
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const database = await DuckDBInstance.create(path('kept.duckdb'));
    const connection = await database.connect();
    const count = async (table: string) =>
      Number((await connection.runAndReadAll(`select count(*) from ${table}`)).getRows()[0]?.[0]);
    expect(await count('own')).toBe(1);
    expect(await count('sysflow')).toBeGreaterThan(50);
    expect(await count('processes')).toBeGreaterThan(3);
    connection.closeSync();
    database.closeSync();
  });

  it('.read and @NAME run statements of files', async () => {
    writeFileSync(path('some.sql'), '.mode csv\nselect 1\n  as one; -- more\nselect 2 as two');
    writeFileSync(path('loop.sql'), '.read loop.sql\n');
    const terminal = await start();
    expect(await ask(terminal, '.read some.sql')).toMatch(/^one\s+1\s+two\s+2\s+$/);
    expect(await ask(terminal, '.read none.sql')).toBe('none.sql: cannot be read: ENOENT\n');
    expect(await ask(terminal, '.read loop.sql')).toContain('more than 16 files');
    expect(await ask(terminal, '@short-lived below=1000')).toContain('milliseconds');
    expect(await ask(terminal, '@short-lived under=1')).toContain("has no parameter 'under'");
    await leave(terminal);
  });

  it('keeps a private history from run to run', async () => {
    const home = path('home');
    const env = { HOME: home };
    const first = await start({ env });
    await ask(first, 'select 11 as first;');
    first.type('select 22\n');
    await first.shows(morePrompt);
    await ask(first, 'as second;');
    // Within the run: the statement as one line.
    first.type('\x1b[A');
    await first.shows('select 22 as second;');
    expect(await ask(first, '')).toContain('22');
    await leave(first);
    const file = join(home, '.local/state/sfkit/query-history');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const second = await start({ env });
    second.type('\x1b[A\x1b[A');
    await second.shows('select 11 as first;');
    expect(await ask(second, '')).toContain('11');
    await leave(second);
    const kept = readFileSync(file, 'utf8');
    expect(kept).toBe('select 11 as first;\nselect 22 as second;\nselect 11 as first;\n');
    const third = await start({ env, args: '--no-history' });
    await ask(third, 'select 33 as third;');
    await leave(third);
    expect(readFileSync(file, 'utf8')).toBe(kept);
  });

  it('fits a narrow terminal', async () => {
    const terminal = await start({ columns: 34 });
    const answer = await ask(terminal, 'from process limit 2;');
    expect(answer).toContain('─[ 2 ]');
    expect(answer.split('\n').filter((line) => textWidth(line) > 34)).toEqual([]);
    expect(
      (await ask(terminal, '.tables')).split('\n').filter((line) => textWidth(line) > 34),
    ).toEqual([]);
    await leave(terminal);
  });

  it('pages long answers, and survives a pager that ends early', async () => {
    const terminal = await start({ rows: 10, env: { SFKIT_PAGER: 'head -n 1; echo paged' } });
    expect(await ask(terminal, 'from range(90);')).toMatch(/^┌─+┐\npaged\n$/);
    const endless = 'select a.range from range(1000000000000) a;';
    await ask(terminal, '.rows all');
    expect(await ask(terminal, endless)).toMatch(/^┌─+┐\npaged\n$/);
    expect(await ask(terminal, 'select 5 as five;')).toContain('│    5 │');
    await leave(terminal);
  });

  it('escapes what comes from files', async () => {
    const terminal = await start();
    await ask(terminal, 'create table "t\x16\x1b[2J" as select 1 as "c\x16\x1b[3J";');
    expect(await ask(terminal, '.tables')).not.toMatch(/\x1b/);
    await leave(terminal);
  });

  it('needs no input that is a capture', async () => {
    const first = await start();
    await ask(first, '.mode csv');
    await ask(first, "copy (from process) to 'process.parquet';");
    await leave(first);
    const terminal = await start({ inputs: 'process.parquet' });
    expect(await ask(terminal, 'select count(*) > 3 as some from process;')).toContain('true');
    expect(await ask(terminal, 'from events;')).toContain('no table events');
    await leave(terminal);
  });
});
