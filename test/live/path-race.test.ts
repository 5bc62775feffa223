import { execFile, spawn } from 'node:child_process';
import { createReadStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../helpers/corpus.js';
import { noLive, testProgram } from '../helpers/live.js';
import { type LiveEnd, startLive } from '../helpers/live-run.js';

// A thread changes the path during another thread's open: the recorded path must be right or
// marked.

interface Value<T> {
  raw: T;
  text: string;
}

interface EventLine {
  'evt.type': string;
  args?: {
    name: Value<string>;
    ino?: Value<number>;
    flags?: Value<number>;
    creat_flags: Value<number>;
  };
}

interface RecordLine {
  type: string;
  proc_exe: string;
  file_openflags: number;
  opflags: string[];
}

interface Open {
  call: string;
  path: string;
  inode: number;
  marked: boolean;
}

const run = promisify(execFile);
const mark = 2 ** 30;

/** What `pick` keeps of each line: all lines may be longer than a string can be. */
async function linesOf<Line, T>(
  stream: Readable,
  pick: (line: Line) => T | undefined,
): Promise<T[]> {
  const kept: T[] = [];
  for await (const line of createInterface({ input: stream })) {
    const picked = pick(JSON.parse(line));
    if (picked !== undefined) kept.push(picked);
  }
  return kept;
}

/** Opens of the program in a capture. */
function opensIn(recording: string): Promise<Open[]> {
  const filter =
    "proc.name = sfkit_path_race and evt.type in (open, openat, openat2, creat) and evt.dir = '<'";
  const events = spawn(
    process.execPath,
    [join(root, 'bin/run.js'), 'events', recording, '--json', '--filter', filter],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  return linesOf(events.stdout, ({ 'evt.type': call, args }: EventLine) =>
    args?.ino === undefined
      ? undefined
      : {
          call,
          path: args.name.raw,
          inode: args.ino.raw,
          marked: (args.flags ?? args.creat_flags).text.includes('PATH_DOUBTFUL'),
        },
  );
}

const whyNot =
  noLive ?? (availableParallelism() < 2 ? 'two threads need two processors' : undefined);

describe.skipIf(whyNot !== undefined)(
  `sfkit live and paths that change during a call${whyNot ? ` (skipped: ${whyNot})` : ''}`,
  () => {
    let directory: string;
    let end: LiveEnd;
    let opens: Open[];
    /** By the last element of the path. */
    let inodes: Record<string, number>;
    let flows: Pick<RecordLine, 'file_openflags' | 'opflags'>[];

    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), 'sfkit-race-'));
      const [work, recording, output] = ['work', 'x.scap', 'a.jsonl'].map((name) =>
        join(directory, name),
      ) as [string, string, string];
      mkdirSync(work);
      const live = startLive([
        'live',
        '-o',
        output,
        '--write',
        recording,
        '--no-file-only',
        '--file-read-mode',
        'all',
        // The machine may be busy with other work.
        '--filter',
        'proc.name = sfkit_path_race',
      ]);
      await live.capturing;
      const { stdout } = await run(testProgram('sfkit_path_race'), [work]);
      end = await live.end('SIGINT');
      const made = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      inodes = Object.fromEntries(made.map(({ path, inode }) => [path.split('/').at(-1), inode]));
      opens = await opensIn(recording);
      flows = await linesOf(
        createReadStream(output),
        ({ type, proc_exe, file_openflags, opflags }: RecordLine) =>
          type === 'FF' && proc_exe.endsWith('sfkit_path_race')
            ? { file_openflags, opflags }
            : undefined,
      );
    });
    afterAll(() => rmSync(directory, { recursive: true }));

    const raced = () => opens.filter(({ path }) => path === 'aaaa' || path === 'bbbb');
    const isWrong = ({ path, inode }: Open) => inodes[path] !== inode;
    const through = (link: string) => opens.filter(({ path }) => path.endsWith(link));

    it('marks exactly the paths that are not those of their files', () => {
      expect(end).toMatchObject({ exit: 0 });
      expect(raced().length).toBeGreaterThan(100);
      expect(raced().filter((open) => isWrong(open) !== open.marked)).toEqual([]);
    });

    it('for each call that opens a file', () => {
      const wrong = raced().filter(isWrong);
      for (const call of ['open', 'openat', 'openat2', 'creat']) {
        expect(wrong.filter((open) => open.call === call).length, call).toBeGreaterThan(0);
      }
    });

    it('marks no symbolic links, neither of a program with one thread nor, after a lookup, with several', () => {
      for (const [link, target] of [
        ['/link-alone', 'aaaa'],
        ['/link-beside', 'bbbb'],
      ] as const) {
        expect(through(link).map(({ inode, marked }) => [inode, marked])).toEqual(
          Array(4).fill([inodes[target], false]),
        );
      }
    });

    it('keeps the mark in the records and counts it', () => {
      const marked = opens.filter((open) => open.marked).length;
      const markedFlows = flows.filter(
        ({ file_openflags, opflags }) => (file_openflags & mark) !== 0 && opflags.includes('OPEN'),
      );
      expect(markedFlows.length).toBe(marked);
      const counted = /left out: ([\d,]+) guarantees that the path of an open/.exec(
        end.stderr,
      )?.[1];
      expect(Number(counted?.replaceAll(',', ''))).toBeGreaterThanOrEqual(marked);
    });
  },
);
