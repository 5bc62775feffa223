import { escapeForTerminal, escapeJson } from '../engine/escape.js';
import { standardInput } from '../engine/input-kind.js';
import { isoTime } from '../export/values.js';
import type { FoundConnection, ProcessNames, ReportedFinding, RuleLocation } from './finding.js';

// Captured text is untrusted: it may contain terminal escapes, commands of CI services, markup or
// links. Every output format builds its texts from these functions.

/**
 * CI services run ##[command] and ##name[command] anywhere in a line that a step prints.
 * (They also run :: at the start of a line; see logLine().)
 */
const command = /##(?=[a-z]*\[)/gi;

/** The text as one line without hidden characters or commands. */
export function oneLine(text: string): string {
  return escapeForTerminal(text).replace(command, '#\\x23');
}

/** A log line that starts with untrusted text, such as a path or part of a file. */
export function logLine(text: string): string {
  return oneLine(text).replace(/^(\s*):(?=:)/, '$1\\x3a');
}

/** JSON with the same values, without hidden characters or commands in its strings. */
export function inertJson(json: string): string {
  return escapeJson(json).replace(command, '#\\u0023');
}

export function jsonOf(value: unknown): string {
  return inertJson(JSON.stringify(value));
}

/** Limits a text to `maxLength` UTF-16 units, ending in …, without splitting a surrogate pair. */
export function truncate(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const end = maxLength - 1;
  const last = text.charCodeAt(end - 1);
  return `${text.slice(0, last >= 0xd800 && last < 0xdc00 ? end - 1 : end)}…`;
}

/** Makes names unique: appends a number to the second use of a name. */
export class UniqueNames {
  readonly #taken = new Set<string>();
  /** Next number for each name, so that repeated names need not count from 2 again. */
  readonly #next = new Map<string, number>();

  has(name: string): boolean {
    return this.#taken.has(name);
  }

  /** The name if it is unused, else a numbered one; at most `maxLength` UTF-16 units. */
  take(name: string, maxLength: number): string {
    const stem = truncate(name, maxLength - numberLength);
    let nth = this.#next.get(stem) ?? 2;
    let chosen = name;
    for (; this.#taken.has(chosen); nth++) chosen = `${stem} ${nth}`;
    if (chosen !== name) this.#next.set(stem, nth);
    this.#taken.add(chosen);
    return chosen;
  }
}

/** A space and a number of up to seven digits. */
const numberLength = 8;

/** Name and pid of a process. */
export function processText({ name, exepath, pid }: ProcessNames): string {
  return `${name ?? exepath ?? 'process'} ${pid}`;
}

/** Number of ancestors in a line. */
const shownAncestors = 6;

/** Process, container, file and connection of a finding as labels and texts, not escaped. */
export function subjectLines({
  process,
  container,
  file,
  connection,
  tid,
  count,
  lastTs,
}: ReportedFinding): string[][] {
  const lines: string[][] = [];
  if (process === undefined) {
    lines.push(['thread', String(tid)]);
  } else {
    const line = [process, ...process.ancestors.slice(0, shownAncestors)]
      .map(processText)
      .join(' < ');
    lines.push(['process', process.user === undefined ? line : `${line} (${process.user})`]);
    if (process.cmdline !== undefined) lines.push(['command', process.cmdline]);
  }
  if (container !== undefined) {
    const names = [container.name ?? container.id, container.image].filter(
      (text) => text !== undefined,
    );
    lines.push(['container', names.join(' of ')]);
  }
  const paths = [file?.path, file?.target].filter((path) => path !== undefined);
  if (paths.length > 0) lines.push(['file', paths.join(' > ')]);
  if (connection !== undefined) lines.push(['connection', connectionText(connection)]);
  if (count > 1)
    lines.push([
      'times',
      lastTs === undefined ? String(count) : `${count}, last ${isoTime(BigInt(lastTs))}`,
    ]);
  return lines;
}

export function connectionText({ protocol, client, server, name }: FoundConnection): string {
  const ends = [client, server]
    .filter((end) => end !== undefined)
    .map(({ ip, port }) => endpointText(ip, port));
  const shown = ends.length > 0 ? ends.join(' > ') : name;
  return shown === undefined ? protocol : `${protocol} ${shown}`;
}

/** Time, type and position of the event. */
export function eventText({
  ts,
  eventType,
  eventNumber,
  capture,
  language,
}: ReportedFinding): string {
  // Other languages evaluate records, which are numbered separately.
  const place = language === 'falco' ? 'event' : 'record';
  return `${isoTime(BigInt(ts))}, ${eventType}, ${place} ${eventNumber} of ${captureText(capture)}`;
}

/** The evidence, one line per event; * marks the event of the finding. */
export function evidenceTexts({ evidence = [], ts }: ReportedFinding): string[] {
  return evidence.map((event) => `${event.number}${event.ts === ts ? ' *' : ''} ${event.text}`);
}

/** Range of the `limit` evidence events nearest to the event of the finding. */
export function nearestEvents(
  { evidence = [], ts }: ReportedFinding,
  limit: number,
): { start: number; end: number } {
  const place = evidence.findIndex((event) => event.ts === ts);
  const start = Math.max(0, Math.min(place - Math.floor(limit / 2), evidence.length - limit));
  return { start, end: start + limit };
}

export function captureText(capture: string): string {
  return capture === standardInput ? 'standard input' : capture;
}

/** Location in the style of compilers. */
export function placeText({ file, line }: RuleLocation): string {
  return `${file}:${line}`;
}

function endpointText(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
