import { drawn } from '../draw/drawing.js';
import type { Screen } from '../draw/types.js';
import type { CaptureSummary, Summary } from '../engine/summary.js';
import { counted, damageLines, grouped } from '../engine/summary-text.js';
import { isoTime } from '../export/values.js';
import { shortened } from './summary.js';

/** The facts about a capture, or why it is unreadable. */
export type Inspection =
  | { file: string; summary: CaptureSummary }
  | { file: string; error: { code: string; message: string } };

/** The facts as an object, for `sfkit info --json`. */
export function infoJson(inspection: Inspection, withEvents: boolean): object {
  if ('error' in inspection) return inspection;
  const { file, summary } = inspection;
  const { info } = summary;
  const time = (nanoseconds: bigint) => (nanoseconds === 0n ? null : isoTime(nanoseconds));
  return {
    file,
    format: summary.format,
    version: info.version,
    writer: info.writer || null,
    byteOrder: byteOrder(info.swapped),
    compression: summary.compression,
    bytes: summary.bytes,
    sections: info.sections,
    processList: info.processList || null,
    eventVersion: info.countedParameters ? 2 : 1,
    direction: info.hasEnters ? 'enter and exit' : 'exit',
    hostname: info.hostname || null,
    cpus: info.cpus || null,
    memoryBytes: info.memoryBytes || null,
    bootTime: time(info.bootTime),
    firstTime: time(summary.firstTime),
    lastTime: time(summary.lastTime),
    durationSeconds: seconds(summary),
    events: summary.events,
    eventsPerSecond: eventsPerSecond(summary),
    threads: info.threads,
    processes: info.processes,
    descriptors: info.descriptors,
    users: info.users,
    groups: info.groups,
    interfaces: info.interfaces,
    containers: info.containers,
    ...(withEvents ? { eventsByType: info.events } : {}),
    skipped: summary.skipped,
    damage: summary.damage,
  };
}

/** The facts as tables for people. */
export function infoText(
  file: string,
  summary: CaptureSummary,
  withEvents: boolean,
  screen?: Screen,
): string {
  const { info } = summary;
  const known = (text: string, isKnown: boolean) => (isKnown ? text : 'unknown');
  const span = seconds(summary);
  const facts: [string, string][] = [
    ['format', formatText(summary)],
    ['written by', known(info.writer, info.writer !== '')],
    ['compression', summary.compression],
    [
      'size',
      `${grouped(summary.bytes)} bytes${summary.compression === 'none' ? '' : ' decompressed'}`,
    ],
    ['sections', grouped(info.sections)],
    ['machine', machineText(summary)],
    ['first event', known(isoTime(summary.firstTime), summary.firstTime !== 0n)],
    ['last event', known(isoTime(summary.lastTime), summary.lastTime !== 0n)],
    ['duration', span === null ? 'unknown' : `${span.toFixed(span < 1 ? 6 : 3)} s`],
    ['events', grouped(summary.events) + rateText(summary)],
    ['listed', listedText(summary)],
    ['containers', grouped(info.containers)],
    ...summary.skipped
      .filter(({ count }) => count > 0n)
      .map(({ reason, count }): [string, string] => ['skipped', counted(count, reason)]),
    ...damageText(summary).map((line): [string, string] => ['damage', line]),
  ];
  const table = drawn([{ name: 'capture' }, { name: file, long: 'wrap' }], facts, screen);
  return withEvents && info.events.length > 0 ? table + eventTable(summary, screen) : table;
}

function eventTable({ info }: CaptureSummary, screen: Screen | undefined): string {
  const total = info.events.reduce((sum, { enter, exit }) => sum + enter + exit, 0n);
  const rows = info.events.map(({ type, enter, exit }) => [
    type,
    grouped(enter),
    grouped(exit),
    `${((100 * Number(enter + exit)) / Number(total)).toFixed(1)} %`,
  ]);
  return drawn(
    [{ name: 'event' }, number('enter >'), number('exit <'), number('share')],
    rows,
    screen,
  );
}

const number = (name: string) => ({ name, right: true });

function formatText({ info }: CaptureSummary): string {
  const parts = [`scap ${info.version}`];
  if (info.processList !== 0) parts.push(`process list ${info.processList}`);
  parts.push(
    `events version ${info.countedParameters ? 2 : 1}`,
    info.hasEnters ? 'enter and exit' : 'exit only',
  );
  if (info.swapped) parts.push(byteOrder(true));
  return parts.join(', ');
}

/** All machines that run sfkit are little-endian. */
function byteOrder(swapped: boolean): string {
  return swapped ? 'big-endian' : 'little-endian';
}

function machineText({ info }: CaptureSummary): string {
  const parts = [];
  if (info.hostname !== '') parts.push(info.hostname);
  if (info.cpus !== 0) parts.push(`${info.cpus} CPU${info.cpus === 1 ? '' : 's'}`);
  if (info.memoryBytes !== 0n) parts.push(`${(Number(info.memoryBytes) / 2 ** 30).toFixed(1)} GiB`);
  if (info.bootTime !== 0n) parts.push(`started ${isoTime(info.bootTime)}`);
  return parts.length === 0 ? 'unknown' : parts.join(', ');
}

function listedText({ info }: CaptureSummary): string {
  const { threads, processes, descriptors, users, groups, interfaces } = info;
  const some = (count: bigint, one: string, many = `${one}s`) =>
    `${grouped(count)} ${count === 1n ? one : many}`;
  return [
    `${some(threads, 'thread')} in ${some(processes, 'process', 'processes')}`,
    some(descriptors, 'descriptor'),
    some(users, 'user'),
    some(groups, 'group'),
    some(interfaces, 'interface'),
  ].join(', ');
}

function damageText(summary: Summary): string[] {
  const lines = shortened(damageLines(summary), 'places of damage');
  return lines.length === 0 ? ['none'] : lines;
}

function seconds({ firstTime, lastTime }: Summary): number | null {
  return firstTime === 0n ? null : Number(lastTime - firstTime) / 1e9;
}

function eventsPerSecond(summary: Summary): number | null {
  const span = seconds(summary);
  return span === null || span <= 0 ? null : Math.round(Number(summary.events) / span);
}

function rateText(summary: Summary): string {
  const rate = eventsPerSecond(summary);
  return rate === null ? '' : `, ${grouped(rate)} per second`;
}
