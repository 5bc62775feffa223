import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { machine } from '../../src/output/leftovers.js';
import {
  discardAll,
  pendingDirectory,
  scratchDirectory,
  withNewName,
} from '../../src/output/pending.js';
import { type ByteSink, fileSink, openSink } from '../../src/output/sink.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-pending-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('an output file', () => {
  it('gets its name when closed, not before', async () => {
    const target = join(directory, 'out.csv');
    const sink = fileSink(target);
    await sink.write('a');
    expect(existsSync(target)).toBe(false);
    await sink.close();
    expect(readFileSync(target, 'utf8')).toBe('a');
    expect(readdirSync(directory)).toEqual(['out.csv']);
  });

  it('keeps the old file until it is replaced', async () => {
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

  it('reports why a place is not writable', () => {
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

describe('output of killed processes', () => {
  it('is removed by the next run that writes there, which leaves all other files alone', () => {
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    const leftover = (name: string) => join(directory, name);
    writeFileSync(leftover(`.out.csv.${gone}-0.${machine}.part`), 'half');
    mkdirSync(leftover(`.tables.${gone}-12.${machine}.part`));
    writeFileSync(join(leftover(`.tables.${gone}-12.${machine}.part`), 'file'), 'half');
    chmodSync(leftover(`.tables.${gone}-12.${machine}.part`), 0o700);
    const others = [
      `.alive.${process.ppid}-0.${machine}.part`,
      `.target.${gone}-0.00000000.part`,
      `.name.${gone}-0.part`,
      `.x.${gone}.${machine}.part`,
      `plain.${gone}-0.${machine}.part`,
    ];
    for (const name of others) writeFileSync(leftover(name), 'kept');
    symlinkSync('.', leftover(`.link.${gone}-0.${machine}.part`));
    fileSink(join(directory, 'next.csv')).discard();
    expect(readdirSync(directory).sort()).toEqual(
      [...others, `.link.${gone}-0.${machine}.part`].sort(),
    );
  });
});

describe('a directory that looks like unfinished output', () => {
  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  const named = (name: string) => `.${name}.${gone}-0.${machine}.part`;
  const isRoot = process.geteuid?.() === 0;
  let shared: string;
  let victim: string;
  beforeEach(() => {
    shared = join(directory, 'shared');
    victim = join(directory, 'victim');
    for (const path of [shared, victim]) mkdirSync(path);
    chmodSync(shared, 0o755);
    writeFileSync(join(victim, 'precious'), 'text');
  });
  /** A directory with a file in it, like those of sfkit. */
  const plant = (name: string): string => {
    const path = join(shared, named(name));
    mkdirSync(path, 0o700);
    writeFileSync(join(path, 'file'), 'text');
    return path;
  };
  const look = () => {
    const sink = fileSink(join(shared, 'next.csv'));
    sink.discard();
    return readdirSync(shared).sort();
  };

  it('is removed from a sticky directory if it is our own', () => {
    plant('own');
    chmodSync(shared, 0o1777);
    expect(look()).toEqual([]);
  });

  it('stays in a directory that others can write to', () => {
    const path = plant('own');
    chmodSync(shared, 0o777);
    expect(look()).toEqual([named('own')]);
    expect(readdirSync(path)).toEqual(['file']);
  });

  it("stays if it contains a link, and so does the link's target", () => {
    symlinkSync(victim, join(plant('tree'), 'link'));
    symlinkSync(victim, join(shared, named('link')));
    expect(look()).toEqual([named('link'), named('tree')]);
    expect(readdirSync(victim)).toEqual(['precious']);
  });

  it.skipIf(!isRoot)('stays if it has another owner (skipped: only root can change owners)', () => {
    chownSync(plant('theirs'), 12345, 12345);
    chownSync(join(plant('holds-theirs'), 'file'), 12345, 12345);
    expect(look()).toEqual([named('holds-theirs'), named('theirs')]);
  });

  it('stays in a directory that is reached through a link', () => {
    plant('own');
    symlinkSync(shared, join(directory, 'link'));
    fileSink(join(directory, 'link', 'next.csv')).discard();
    expect(readdirSync(shared)).toEqual([named('own')]);
  });
});

describe('permissions', () => {
  const mode = (path: string) => statSync(path).mode & 0o7777;
  const write = async (path: string, options = {}) => {
    const sink = fileSink(path, options);
    await sink.write('new');
    const [hidden = ''] = readdirSync(directory).filter((name) => name.endsWith('.part'));
    const meanwhile = mode(join(directory, hidden));
    await sink.close();
    return { meanwhile, after: mode(path) };
  };
  const withUmask = async (umask: number, action: () => Promise<void> | void) => {
    const before = process.umask(umask);
    try {
      await action();
    } finally {
      process.umask(before);
    }
  };

  it('of a new output follow the umask', async () => {
    await withUmask(0o027, async () => {
      expect(await write(join(directory, 'a'))).toEqual({ meanwhile: 0o640, after: 0o640 });
      const pending = pendingDirectory(join(directory, 'd'));
      expect(mode(pending.path)).toBe(0o700);
      pending.commit();
      expect(mode(join(directory, 'd'))).toBe(0o750);
    });
  });

  it('of a replaced output stay, and nobody else can read it before', async () => {
    for (const old of [0o600, 0o640, 0o664, 0o4755]) {
      const path = join(directory, `replaced-${old}`);
      writeFileSync(path, 'old');
      chmodSync(path, old);
      expect(await write(path)).toEqual({ meanwhile: 0o600, after: old & 0o777 });
    }
  });

  it('of files in a replaced directory stay', () => {
    const target = join(directory, 'd');
    mkdirSync(target);
    writeFileSync(join(target, 'a'), 'old', { mode: 0o600 });
    const pending = pendingDirectory(target);
    writeFileSync(join(pending.path, 'a'), 'new', { mode: 0o644 });
    pending.commit();
    expect(mode(join(target, 'a'))).toBe(0o600);
  });

  it('of private outputs exclude everyone else, whatever they replace', async () => {
    const path = join(directory, 'a');
    writeFileSync(path, 'old', { mode: 0o644 });
    expect(await write(path, { isPrivate: true })).toEqual({ meanwhile: 0o600, after: 0o600 });
  });

  it.skipIf(process.geteuid?.() !== 0)(
    'of another user’s file grant no more than those of a new one (skipped: root only)',
    async () => {
      const path = join(directory, 'a');
      writeFileSync(path, 'old');
      chmodSync(path, 0o666);
      chownSync(path, 12345, 12345);
      await withUmask(0o022, async () => expect((await write(path)).after).toBe(0o644));
    },
  );

  it('of a scratch directory exclude everyone else', async () => {
    await withUmask(0, () => {
      const scratch = scratchDirectory(directory, directory);
      expect(mode(scratch.path)).toBe(0o700);
      scratch.discard();
      expect(readdirSync(directory)).toEqual([]);
    });
  });
});

describe('a scratch directory', () => {
  it('is removed with its contents', () => {
    const scratch = scratchDirectory(directory, directory);
    mkdirSync(join(scratch.path, 'spill'));
    writeFileSync(join(scratch.path, 'spill', 'file'), 'text');
    scratch.discard();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is never another directory put in its place', () => {
    const scratch = scratchDirectory(directory, directory);
    renameSync(scratch.path, join(directory, 'moved'));
    mkdirSync(scratch.path);
    writeFileSync(join(scratch.path, 'precious'), 'text');
    scratch.discard();
    const [kept = ''] = readdirSync(directory).filter((name) => name.startsWith('.'));
    expect(readdirSync(join(directory, kept))).toEqual(['precious']);
  });
});

describe('an unfinished output', () => {
  it('coexists with output of a process with the same pid, as in a restarted container', async () => {
    for (let i = 0; i < 60; i++)
      writeFileSync(join(directory, `.out.csv.${process.pid}-${i}.${machine}.part`), 'old');
    const sink = fileSink(join(directory, 'out.csv'));
    await sink.write('new');
    await sink.close();
    expect(readFileSync(join(directory, 'out.csv'), 'utf8')).toBe('new');
  });

  it('is never written through a link', async () => {
    const target = join(directory, 'target');
    symlinkSync(target, join(directory, 'out.csv.part'));
    const sink = fileSink(join(directory, 'out.csv'), { keeps: true });
    await sink.write('new');
    await sink.close();
    expect(existsSync(target)).toBe(false);
  });

  it('is readable only by its owner if requested', async () => {
    const sink = fileSink(join(directory, 'out.csv'), { isPrivate: true });
    const [name = ''] = readdirSync(directory);
    expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
    await sink.close();
  });
});

describe('a generated name', () => {
  it('replaces nothing, even with concurrent runs', async () => {
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

  it('is retried if another run was faster', async () => {
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
