import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ByteSink } from '../../src/output/sink.js';
import { momentIn, parseMoment } from '../../src/views/moment.js';
import { link, maxShownDepth, select, type TreeProcess, walk } from '../../src/views/tree.js';
import { treeWriters } from '../../src/views/tree-formats.js';
import { fixtures, root } from '../helpers/corpus.js';

const incident = join(fixtures, 'incident.scap');
const run = (...args: string[]) =>
  execFileSync(process.execPath, [join(root, 'bin/run.js'), 'tree', ...args], {
    encoding: 'utf8',
    stdio: 'pipe',
  });

/** A process by pid, parent's pid and start. */
function made(
  id: number,
  pid: number,
  forkedBy: number | null,
  start: number | null,
  end: number | null = null,
): TreeProcess {
  return {
    id,
    filename: 'x',
    pid: BigInt(pid),
    forkedBy: forkedBy === null ? null : BigInt(forkedBy),
    start: start === null ? null : BigInt(start),
    end: end === null ? null : BigInt(end),
    duration: null,
    exitCode: null,
    signal: null,
    user: null,
    container: null,
    comm: 'p',
    exe: '/bin/p',
    cmdline: `p ${pid}`,
    parent: undefined,
    children: [],
    files: [],
    connections: [],
  };
}

function linked(
  rows: readonly (readonly [number, number | null, number | null, (number | null)?])[],
): TreeProcess[] {
  const processes = rows.map(([pid, parent, start, end], id) => made(id, pid, parent, start, end));
  link(processes);
  return processes;
}

const shape = (processes: readonly TreeProcess[], selection = {}) =>
  [...walk(processes, select(processes, selection))].map(({ process, depth }) => [
    depth,
    Number(process.pid),
  ]);

async function written(
  format: keyof typeof treeWriters,
  processes: readonly TreeProcess[],
): Promise<string> {
  let text = '';
  const sink = {
    write: async (part: string) => {
      text += part;
    },
  } as unknown as ByteSink;
  await treeWriters[format](walk(processes, select(processes, {})), sink, {});
  return text;
}

describe('link', () => {
  it('puts children below their parents, also below those that are older than the capture', () => {
    const processes = linked([
      [1, null, null],
      [2, 1, null],
      [3, 2, 10],
      [4, 1, 20],
    ]);
    expect(shape(processes)).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [1, 4],
    ]);
  });

  it('chooses the process that had the number when the child started', () => {
    const processes = linked([
      [7, null, 100],
      [8, 7, 150],
      [7, null, 200],
      [9, 7, 250],
    ]);
    expect(processes[1]?.parent).toBe(0);
    expect(processes[3]?.parent).toBe(2);
  });

  it('shows every process once, also in loops and long chains', async () => {
    expect(
      shape(
        linked([
          [1, 2, 5],
          [2, 1, 5],
          [3, 1, 5],
          [4, 4, 5],
        ]),
      )
        .map(([, pid]) => pid)
        .sort(),
    ).toEqual([1, 2, 3, 4]);
    const length = 50_000;
    const chain = linked(Array.from({ length }, (_, n) => [n + 1, n === 0 ? null : n, n] as const));
    expect(shape(chain).length).toBe(length);
    const text = await written('text', chain);
    expect(text.length).toBeLessThan(length * 6 * maxShownDepth);
    expect(text).toContain(`(${length - 1 - maxShownDepth} deeper) p ${length}`);
  });
});

describe('select', () => {
  const rows = [
    [1, null, null],
    [2, 1, 10, 20],
    [3, 2, 15, 40],
    [4, 1, 30],
  ] as const;

  it('takes a process with its descendants', () => {
    expect(shape(linked(rows), { pid: 2n })).toEqual([
      [0, 2],
      [1, 3],
    ]);
  });

  it('takes what was alive at a time', () => {
    expect(shape(linked(rows), { at: 12n })).toEqual([
      [0, 1],
      [1, 2],
    ]);
    expect(shape(linked(rows), { at: 20n })).toEqual([
      [0, 1],
      [0, 3],
    ]);
    expect(shape(linked(rows), { at: 35n })).toEqual([
      [0, 1],
      [1, 4],
      [0, 3],
    ]);
  });
});

describe('formats', () => {
  const hostile = linked([[1, null, null]]);
  (hostile[0] as TreeProcess).cmdline = 'x"] --> y["<script>\\\n\u001b[31m#quot; `';

  it('escape captured text', async () => {
    const mermaid = await written('mermaid', hostile);
    expect(mermaid).not.toMatch(/<script|\u001b|x"/);
    expect(mermaid.split('\n').length).toBe(3);
    const dot = await written('dot', hostile);
    expect(dot).toContain('label="x\\"] --> y[\\"');
    expect(dot.split('\n').length).toBe(6);
    expect(await written('text', hostile)).not.toContain('\u001b');
    expect(JSON.parse(await written('json', hostile))[0].cmdline).toBe(hostile[0]?.cmdline);
  });

  it('write nothing but an empty list or picture without processes', async () => {
    expect(await written('json', [])).toBe('[]\n');
    expect(await written('mermaid', [])).toBe('flowchart LR\n');
  });
});

describe('parseMoment', () => {
  it.each([
    ['2026-03-02T10:00:01.5', 1_772_445_601_500_000_000n],
    ['2026-03-02 10:00:01Z', 1_772_445_601_000_000_000n],
    ['+1.000000001', 6_000_000_001n],
    ['start', 4_999_999_999n],
    ['end', 9_000_000_000n],
  ])('%s', (text, time) => {
    expect(momentIn(parseMoment(text), { first: 5_000_000_000n, last: 9_000_000_000n })).toBe(time);
  });

  it.each(['10:00', '5', '+x', '2026-13-02T10:00:00', ''])('refuses %s', (text) => {
    expect(() => parseMoment(text)).toThrow(/expected start, end, a time in UTC/);
  });
});

describe('sfkit tree', () => {
  it('shows the incident: below the shell what it ran, with exit codes', () => {
    const lines = run(incident).split('\n');
    const at = lines.findIndex((line) => line.includes('└─ sh -c curl'));
    expect(lines[at + 1]).toMatch(/│ 0 │ {10}├─ curl|0 │\s+├─ curl/);
    expect(lines.some((line) => /signal 9.*shop-init/.test(line))).toBe(true);
  });

  it('gives JSON with files and connections', () => {
    const all = JSON.parse(run(incident, '-f', 'json', '--files', '--connections'));
    const curl = all.find(({ comm }: { comm: string }) => comm === 'curl');
    expect(curl.files.map(({ name }: { name: string }) => name)).toContain('/tmp/.u');
    expect(curl.connections[0].name).toMatch(/^tcp 10\.0\.0\.7:\d+ -> 203\.0\.113\.66:80$/);
    const sh = all[curl.parent];
    expect(JSON.parse(run(incident, '-f', 'json', '--pid', String(sh.pid))).length).toBe(5);
  });

  it('refuses a pid that no process has', () => {
    expect(() => run(incident, '--pid', '1')).toThrow(/--pid 1: no such process in the capture/);
  });
});
