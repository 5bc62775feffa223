import { Drawing } from '../draw/drawing.js';
import type { DrawnColumn, DrawOptions } from '../draw/types.js';
import { escapeForTerminal } from '../engine/escape.js';
import { toJson } from '../engine/json.js';
import { isoTime } from '../export/values.js';
import type { ByteSink } from '../output/sink.js';
import { maxShownDepth, type Placed, type TreeItem, type TreeProcess } from './tree.js';

export const treeFormats = ['text', 'json', 'mermaid', 'dot'] as const;
export type TreeFormat = (typeof treeFormats)[number];

/** Files and connections of a process that a picture shows; JSON has all. */
const maxItems = 20;

export type TreeWriter = (
  placed: Iterable<Placed>,
  sink: ByteSink,
  draw: DrawOptions,
) => Promise<void>;

export const treeWriters: Readonly<Record<TreeFormat, TreeWriter>> = {
  text: writeText,
  json: writeJson,
  mermaid: writeMermaid,
  dot: writeDot,
};

const columns: readonly DrawnColumn[] = [
  { name: 'start', long: 'time' },
  { name: 'seconds', right: true },
  { name: 'pid', right: true },
  { name: 'user', rank: 2 },
  { name: 'container', rank: 1 },
  { name: 'exit', right: true },
  { name: 'command' },
];

async function writeText(
  placed: Iterable<Placed>,
  sink: ByteSink,
  draw: DrawOptions,
): Promise<void> {
  const drawing = new Drawing(columns, draw);
  let left = 0;
  const add = async (row: readonly (string | null)[]) => {
    if (drawing.room <= 0) {
      left++;
      return;
    }
    const text = drawing.add(row);
    if (text !== '') await sink.write(text);
  };
  for (const { process, depth, lasts } of placed) {
    const start = process.start === null ? null : isoTime(process.start);
    const { pid, user, container } = process;
    const command = `${branches(lasts, depth)}${commandOf(process)}`;
    await add([
      start,
      secondsOf(process.duration),
      String(pid),
      user,
      container,
      exitOf(process),
      command,
    ]);
    const below = `${stems(lasts)}${process.children.length > 0 ? '│  ' : '   '}`;
    for (const line of itemLines(process))
      await add([null, null, null, null, null, null, `${below}${line}`]);
  }
  await sink.write(drawing.end({ count: left, isExact: true }));
}

function branches(lasts: readonly boolean[], depth: number): string {
  if (lasts.length === 0) return '';
  const deeper = depth > maxShownDepth ? `(${depth - maxShownDepth} deeper) ` : '';
  return `${stems(lasts.slice(0, -1))}${lasts.at(-1) === true ? '└─ ' : '├─ '}${deeper}`;
}

const stems = (lasts: readonly boolean[]) =>
  lasts.map((isLast) => (isLast ? '   ' : '│  ')).join('');

function commandOf({ cmdline, exe, comm }: TreeProcess): string {
  return cmdline || exe || comm || '?';
}

function secondsOf(duration: bigint | null): string | null {
  return duration === null ? null : (Number(duration) / 1e9).toFixed(3);
}

/** The exit code, or the signal that ended the process. */
function exitOf({ exitCode, signal }: TreeProcess): string | null {
  if (signal !== null && signal !== 0n) return `signal ${signal}`;
  return exitCode === null ? null : String(exitCode);
}

function itemLines({ files, connections }: TreeProcess): string[] {
  const lines = (kind: string, items: readonly TreeItem[]) => [
    ...items.slice(0, maxItems).map((item) => `${kind} ${itemText(item)}`),
    ...(items.length > maxItems ? [`${kind} and ${items.length - maxItems} more`] : []),
  ];
  return [...lines('file', files), ...lines('net', connections)];
}

function itemText({ name, operations, read, written }: TreeItem): string {
  const moved = [read > 0n ? `${read} read` : '', written > 0n ? `${written} written` : ''].filter(
    (each) => each !== '',
  );
  return `${name} (${[operations.join(' '), ...moved].join(', ')})`;
}

/** An array of processes, parents before children. */
async function writeJson(placed: Iterable<Placed>, sink: ByteSink): Promise<void> {
  let separator = '[\n';
  for (const { process, depth } of placed) {
    const {
      id,
      children: _,
      forkedBy,
      start,
      end,
      duration,
      exitCode,
      parent = null,
      files,
      connections,
      ...rest
    } = process;
    const times = {
      start: start === null ? null : isoTime(start),
      end: end === null ? null : isoTime(end),
      duration,
    };
    const object = {
      id,
      parent,
      depth,
      forked_by: forkedBy,
      ...times,
      exit_code: exitCode,
      ...rest,
      files,
      connections,
    };
    await sink.write(`${separator}${toJson(object)}`);
    separator = ',\n';
  }
  await sink.write(separator === '[\n' ? '[]\n' : '\n]\n');
}

/** Lines of a label: the command, then what the process did. */
function labelLines(process: TreeProcess): string[] {
  const facts = [`pid ${process.pid}`, process.user, process.container, exitText(process)]
    .filter(Boolean)
    .join(', ');
  return [commandOf(process), facts, ...itemLines(process)].map(escapeForTerminal);
}

function exitText(process: TreeProcess): string {
  const exit = exitOf(process);
  return exit === null ? '' : exit.startsWith('signal') ? exit : `exit ${exit}`;
}

async function writeMermaid(placed: Iterable<Placed>, sink: ByteSink): Promise<void> {
  await sink.write('flowchart LR\n');
  // Mermaid's own entities; everything that is special in a label or in HTML becomes one.
  const escaped = (text: string) =>
    text.replace(/[^\p{L}\p{N} ./:_()=,+@*?-]/gu, (special) => `#${special.codePointAt(0)};`);
  for (const { process, depth } of placed) {
    await sink.write(`  p${process.id}["${labelLines(process).map(escaped).join('<br>')}"]\n`);
    if (depth > 0) await sink.write(`  p${process.parent} --> p${process.id}\n`);
  }
}

async function writeDot(placed: Iterable<Placed>, sink: ByteSink): Promise<void> {
  await sink.write('digraph processes {\n  rankdir=LR;\n  node [shape=box];\n');
  const escaped = (text: string) => text.replace(/["\\]/g, '\\$&');
  for (const { process, depth } of placed) {
    await sink.write(
      `  p${process.id} [label="${labelLines(process)
        .map((line) => `${escaped(line)}\\l`)
        .join('')}"];\n`,
    );
    if (depth > 0) await sink.write(`  p${process.parent} -> p${process.id};\n`);
  }
  await sink.write('}\n');
}
