// What npm run bench prints and saves.

import { cpus, loadavg, release, totalmem } from 'node:os';

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** The machine without its name. A high load means that only ratios within a run count. */
export function machine() {
  return {
    processor: cpus()[0].model,
    processors: cpus().length,
    gigabytes: Math.round(totalmem() / 2 ** 30),
    kernel: /^\d+\.\d+/.exec(release())?.[0],
    node: process.version,
    loadAverage: Number(loadavg()[0].toFixed(1)),
  };
}

/** The name of a saved report: its date, then the machine. */
export function fileName({ date, machine: { processor, processors } }) {
  const words = processor.replace(/\((R|TM)\)|CPU|Processor|@.*/gi, ' ');
  const text = `${words} x${processors}`.toLowerCase().match(/[a-z0-9]+/g);
  return `${date}-${text.join('-')}.json`;
}

/** Tables for reading. */
export function tables({ workloads, length, alive }) {
  const parts = workloads.map(workloadTable);
  if (length.length > 0) {
    const rows = length.map((row) => [row.way, row.megabytes, fixed(row.seconds, 2), rate(row)]);
    parts.push(
      table('By length', ['way', 'MB', 'seconds', 'ns per event', 'peak MB'], rows, length),
    );
  }
  if (alive.length > 0) {
    const rows = alive.map((row) => [
      `${row.way}, ${row.kind}`,
      row.alive,
      fixed(row.seconds, 2),
      rate(row),
    ]);
    parts.push(
      table('By live objects', ['way', 'alive', 'seconds', 'ns per event', 'peak MB'], rows, alive),
    );
  }
  return parts.join('\n\n');
}

function workloadTable({ name, what, capture, events, megabytes, results }) {
  const title = `${name} (${what}): ${capture}, ${events.toLocaleString('en')} events, ${megabytes} MB`;
  const rows = results.map((result) => [
    result.way,
    fixed(result.seconds, 2),
    fixed(result.eventsPerSecond / 1e6, 2),
    result.timesSysdig === null ? '' : fixed(result.timesSysdig, 1),
  ]);
  const heads = ['way', 'seconds', 'million events/s', 'times sysdig -q', 'peak MB'];
  return table(title, heads, rows, results);
}

/** A Markdown table; its last column has the peak memory of `measured`. */
function table(title, heads, rows, measured) {
  const lines = rows.map((cells, at) => {
    const peak = measured[at].peakMegabytes;
    return `| ${[...cells, peak === null ? '' : fixed(peak, 0)].join(' | ')} |`;
  });
  const rule = heads.map((_, column) => (column === 0 ? '---' : '---:'));
  return [title, '', `| ${heads.join(' | ')} |`, `| ${rule.join(' | ')} |`, ...lines].join('\n');
}

const rate = ({ nanosecondsPerEvent }) => fixed(nanosecondsPerEvent, 0);
const fixed = (number, digits) => number.toFixed(digits);
