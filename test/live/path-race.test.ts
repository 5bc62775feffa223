import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../helpers/corpus.js';
import { liveTitle, noLive, testProgram } from '../helpers/live.js';
import { type LiveEnd, startLive } from '../helpers/live-run.js';

// A thread changes the path during another thread's open: the recorded path must be right or
// marked.

interface Open {
  call: string;
  path: string;
  inode: number;
  marked: boolean;
}

const run = promisify(execFile);
const mark = 2 ** 30;

const jsonLines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Opens of the program in a capture. */
async function opensIn(recording: string): Promise<Open[]> {
  const { stdout } = await run(
    process.execPath,
    [
      join(root, 'bin/run.js'),
      'events',
      recording,
      '--json',
      '--filter',
      "proc.name = sfkit_path_race and evt.type in (open, openat, openat2, creat) and evt.dir = '<'",
    ],
    { maxBuffer: 2 ** 29 },
  );
  return jsonLines(stdout)
    .filter(({ args }) => args?.ino !== undefined)
    .map(({ 'evt.type': call, args }) => ({
      call,
      path: args.name.raw,
      inode: args.ino.raw,
      marked: (args.flags ?? args.creat_flags).text.includes('PATH_DOUBTFUL'),
    }));
}

describe.skipIf(noLive !== undefined)(
  liveTitle('sfkit live and paths that change during a call'),
  () => {
    let directory: string;
    let end: LiveEnd;
    let opens: Open[];
    /** By the last element of the path. */
    let inodes: Record<string, number>;
    let flows: { file_path: string; file_openflags: number; opflags: string[] }[];

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
      inodes = Object.fromEntries(
        jsonLines(stdout).map(({ path, inode }) => [path.split('/').at(-1), inode]),
      );
      opens = await opensIn(recording);
      flows = jsonLines(readFileSync(output, 'utf8')).filter(
        ({ type, proc_exe }) => type === 'FF' && String(proc_exe).endsWith('sfkit_path_race'),
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
