import { escapeForTerminal, escapeJson } from '../engine/escape.js';
import { standardInput } from '../engine/input-kind.js';
import { isoTime } from '../export/values.js';
import type { FoundConnection, ProcessNames, ReportedFinding, RuleLocation } from './finding.js';

// Captured text is an attacker's, and so is what it becomes in another program: escapes of terminals, commands of CI
// services, markup, links. Each format makes its texts of these.

/**
 * CI services take ##[command] and ##name[command] for commands wherever they stand in a line that a step prints.
 * (:: at the start of a line is a command too; logLine() is for lines that could start with it.)
 */
const command = /##(?=[a-z]*\[)/gi;

/** One line in which nothing is hidden and nothing is a command. */
export function oneLine(text: string): string {
  return escapeForTerminal(text).replace(command, '#\\x23');
}

/** A log line that starts with foreign text, such as a path or part of a file. */
export function logLine(text: string): string {
  return oneLine(text).replace(/^(\s*):(?=:)/, '$1\\x3a');
}

/** JSON with the same values, in which the same holds of its strings. */
export function inertJson(json: string): string {
  return escapeJson(json).replace(command, '#\\u0023');
}

export function jsonOf(value: unknown): string {
  return inertJson(JSON.stringify(value));
}

/** At most so many UTF-16 units; what is cut ends in … and not inside a character. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = most - 1;
  const last = text.charCodeAt(end - 1);
  return `${text.slice(0, last >= 0xd800 && last < 0xdc00 ? end - 1 : end)}…`;
}

/** Makes names unique: the second use of a name gets a number. */
export class UniqueNames {
  readonly #taken = new Set<string>();
  /** Next number by the text before it, so that repeated names do not count from 2 each time. */
  readonly #next = new Map<string, number>();

  has(name: string): boolean {
    return this.#taken.has(name);
  }

  /** The name if it is free, else a numbered one; at most so many UTF-16 units. */
  take(name: string, most: number): string {
    const stem = cut(name, most - numberLength);
    let nth = this.#next.get(stem) ?? 2;
    let chosen = name;
    for (; this.#taken.has(chosen); nth++) chosen = `${stem} ${nth}`;
    if (chosen !== name) this.#next.set(stem, nth);
    this.#taken.add(chosen);
    return chosen;
  }
}

/** A blank and a number of up to seven digits. */
const numberLength = 8;

/** What of a process a person looks for: its name, and its number. */
export function processText({ name, exepath, pid }: ProcessNames): string {
  return `${name ?? exepath ?? 'process'} ${pid}`;
}

/** Ancestors that a line names. */
const shownAncestors = 6;

/** Who did it, where, and to what: names and texts, not escaped. */
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
    const line = [process, ...process.ancestors.slice(0, shownAncestors)].map(processText).join(' < ');
    lines.push(['process', process.user === undefined ? line : `${line} (${process.user})`]);
    if (process.cmdline !== undefined) lines.push(['command', process.cmdline]);
  }
  if (container !== undefined) {
    const names = [container.name ?? container.id, container.image].filter((text) => text !== undefined);
    lines.push(['container', names.join(' of ')]);
  }
  const paths = [file?.path, file?.target].filter((path) => path !== undefined);
  if (paths.length > 0) lines.push(['file', paths.join(' > ')]);
  if (connection !== undefined) lines.push(['connection', connectionText(connection)]);
  if (count > 1)
    lines.push(['times', lastTs === undefined ? String(count) : `${count}, last ${isoTime(BigInt(lastTs))}`]);
  return lines;
}

export function connectionText({ protocol, client, server, name }: FoundConnection): string {
  const ends = [client, server].filter((end) => end !== undefined).map(({ ip, port }) => endpointText(ip, port));
  const shown = ends.length > 0 ? ends.join(' > ') : name;
  return shown === undefined ? protocol : `${protocol} ${shown}`;
}

/** When and where the event is. */
export function eventText({ ts, eventType, eventNumber, capture, language }: ReportedFinding): string {
  // Rules of other languages are about records, which have numbers of their own.
  const place = language === 'falco' ? 'event' : 'record';
  return `${isoTime(BigInt(ts))}, ${eventType}, ${place} ${eventNumber} of ${captureText(capture)}`;
}

/** The events around a finding, a line each; its own has a star. */
export function evidenceTexts({ evidence = [], ts }: ReportedFinding): string[] {
  return evidence.map((event) => `${event.number}${event.ts === ts ? ' *' : ''} ${event.text}`);
}

/** Of many events around a finding those next to its own. */
export function nearestEvents({ evidence = [], ts }: ReportedFinding, most: number): { start: number; end: number } {
  const place = evidence.findIndex((event) => event.ts === ts);
  const start = Math.max(0, Math.min(place - Math.floor(most / 2), evidence.length - most));
  return { start, end: start + most };
}

export function captureText(capture: string): string {
  return capture === standardInput ? 'standard input' : capture;
}

/** Where something stands, as compilers say it. */
export function placeText({ file, line }: RuleLocation): string {
  return `${file}:${line}`;
}

function endpointText(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
