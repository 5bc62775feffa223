import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { machine } from '../../src/export/leftovers.js';
import { discardAll, pendingDirectory, withNewName } from '../../src/export/pending.js';
import { type ByteSink, fileSink, openSink } from '../../src/export/sink.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-pending-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('an output file', () => {
  it('shows under its name when closed, not before', async () => {
    const target = join(directory, 'out.csv');
    const sink = fileSink(target);
    await sink.write('a');
    expect(existsSync(target)).toBe(false);
    await sink.close();
    expect(readFileSync(target, 'utf8')).toBe('a');
    expect(readdirSync(directory)).toEqual(['out.csv']);
  });

  it('keeps what stood there until it is replaced', async () => {
    const target = join(directory, 'out.csv');
    writeFileSync(target, 'old');
    const sink = fileSink(target);
    await sink.write('new');
    sink.discard();
    expect(readFileSync(target, 'utf8')).toBe('old');
    expect(readdirSync(directory)).toEqual(['out.csv']);
  });

  it('leaves nothing when the process ends early', async () => {
    await fileSink(join(directory, 'out.csv')).write('half');
    discardAll();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('says what is wrong with a place that cannot be written', () => {
    expect(() => fileSink(join(directory, 'no', 'out.csv'))).toThrow(
      /cannot write .*out\.csv: the directory does not exist/,
    );
    expect(() => fileSink(directory)).toThrow(/it is a directory; end it with \/ to write into it/);
  });
});

describe('an output directory', () => {
  it('appears with all its files', () => {
    const target = join(directory, 'out/');
    const pending = pendingDirectory(target);
    writeFileSync(join(pending.path, 'a'), '1');
    expect(existsSync(target)).toBe(false);
    pending.commit();
    expect(readdirSync(target)).toEqual(['a']);
    expect(readdirSync(directory)).toEqual(['out']);
  });

  it('keeps other files that were there', () => {
    const target = join(directory, 'out/');
    mkdirSync(target);
    writeFileSync(join(target, 'a'), 'old');
    writeFileSync(join(target, 'b'), 'other');
    const pending = pendingDirectory(target);
    writeFileSync(join(pending.path, 'a'), 'new');
    pending.commit();
    expect(readFileSync(join(target, 'a'), 'utf8')).toBe('new');
    expect(readdirSync(target)).toEqual(['a', 'b']);
  });
});

describe('what processes left that were killed', () => {
  it('is removed by the next that writes there, and nothing else is', () => {
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    const leftover = (name: string) => join(directory, name);
    writeFileSync(leftover(`.out.csv.${gone}-0.${machine}.part`), 'half');
    mkdirSync(leftover(`.tables.${gone}-12.${machine}.part`));
    writeFileSync(join(leftover(`.tables.${gone}-12.${machine}.part`), 'file'), 'half');
    symlinkSync(directory, join(leftover(`.tables.${gone}-12.${machine}.part`), 'link'));
    const others = [
      `.alive.${process.ppid}-0.${machine}.part`,
      `.elsewhere.${gone}-0.00000000.part`,
      `.name.${gone}-0.part`,
      `.x.${gone}.${machine}.part`,
      `plain.${gone}-0.${machine}.part`,
    ];
    for (const name of others) writeFileSync(leftover(name), 'kept');
    symlinkSync('.', leftover(`.link.${gone}-0.${machine}.part`));
    fileSink(join(directory, 'next.csv')).discard();
    expect(readdirSync(directory).sort()).toEqual([...others, `.link.${gone}-0.${machine}.part`].sort());
  });
});

describe('an output under way', () => {
  it('stands beside what a process of the same number left, as in a container that is started again', async () => {
    for (let i = 0; i < 60; i++) writeFileSync(join(directory, `.out.csv.${process.pid}-${i}.${machine}.part`), 'old');
    const sink = fileSink(join(directory, 'out.csv'));
    await sink.write('new');
    await sink.close();
    expect(readFileSync(join(directory, 'out.csv'), 'utf8')).toBe('new');
  });

  it('is never written through a link', async () => {
    const elsewhere = join(directory, 'elsewhere');
    symlinkSync(elsewhere, join(directory, 'out.csv.part'));
    const sink = fileSink(join(directory, 'out.csv'), { keeps: true });
    await sink.write('new');
    await sink.close();
    expect(existsSync(elsewhere)).toBe(false);
  });

  it('is for its owner alone where that is wanted', async () => {
    const sink = fileSink(join(directory, 'out.csv'), { isPrivate: true });
    const [name = ''] = readdirSync(directory);
    expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
    await sink.close();
  });
});

describe('a name that nobody typed', () => {
  it('replaces nothing, whoever else makes outputs at the same time', async () => {
    const wanted = join(directory, 'r.sf.1');
    writeFileSync(wanted, 'there');
    writeFileSync(`${wanted}-2.part`, 'under way');
    const names: string[] = [];
    const open = (name: string): ByteSink => {
      names.push(name);
      return openSink(name, { keeps: true, isNew: true });
    };
    const sinks = await Promise.all(Array.from({ length: 5 }, () => withNewName(wanted, open)));
    for (const sink of sinks) await sink.close();
    expect(names.map((name) => name.slice(wanted.length))).toEqual(['-1', '-3', '-4', '-5', '-6']);
    expect(readFileSync(wanted, 'utf8')).toBe('there');
  });

  it('is tried again where another one was quicker', async () => {
    const wanted = join(directory, 'r.sf.1');
    let first = true;
    const sink = await withNewName(wanted, (name) => {
      if (first) writeFileSync(`${name}.part`, 'theirs');
      first = false;
      return openSink(name, { keeps: true, isNew: true });
    });
    await sink.close();
    expect(readdirSync(directory).sort()).toEqual(['r.sf.1-1', 'r.sf.1.part']);
  });
});
