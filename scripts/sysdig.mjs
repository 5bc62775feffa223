// Compares `sfkit top` with the chisels of an installed sysdig: npm run try:sysdig -- CAPTURE... A
// row of a chisel must have the same number in sfkit. Prints each difference; exit code 1 if there
// are any that none of the reasons in docs/sysdig.md explains.
import { execFileSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { root } from './lib/run.mjs';

const sfkit = join(root, 'bin', 'run.js');

/**
 * Chisel, arguments of sfkit top, key columns of sfkit's rows in the chisel's order, factor of the
 * chisel's number.
 */
const pairs = [
  ['topprocs_cpu', ['cpu'], ['process', 'pid'], 'seconds', 1e9],
  ['topprocs_net', ['processes', '--by', 'net'], ['process', 'pid'], 'net', 1],
  ['topprocs_file', ['processes', '--by', 'file'], ['process', 'pid'], 'file', 1],
  ['topprocs_errors', ['processes', '--by', 'errors'], ['process', 'pid'], 'errors', 1],
  ['topfiles_bytes', ['files'], ['file'], 'bytes', 1],
  ['topfiles_errors', ['files', '--by', 'errors'], ['file'], 'errors', 1],
  ['topports_server', ['ports'], ['port'], 'bytes', 1],
  ['topconns', ['connections'], ['protocol', 'connection'], 'bytes', 1],
  ['topcontainers_net', ['containers', '--by', 'net'], ['container'], 'net', 1],
  ['topcontainers_file', ['containers', '--by', 'file'], ['container'], 'file', 1],
  ['topcontainers_error', ['containers', '--by', 'errors'], ['container'], 'errors', 1],
  ['topscalls_time', ['syscalls', '--by', 'seconds'], ['call'], 'seconds', 1e9],
];

/** The rows of a chisel: key texts, then the number. */
function chiselRows(capture, chisel) {
  const text = execFileSync('sysdig', ['-r', capture, '-c', chisel, '-j'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const start = text.indexOf('{');
  return start < 0 ? [] : JSON.parse(text.slice(start, text.lastIndexOf('}') + 1)).data;
}

function topRows(capture, args) {
  const text = execFileSync(
    process.execPath,
    [sfkit, 'top', args[0], capture, ...args.slice(1), '-n', '1000000', '-f', 'json'],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  return JSON.parse(text);
}

/** Names of events that are not system calls. */
const otherEvents = new Set([
  'switch',
  'procinfo',
  'procexit',
  'signaldeliver',
  'page_fault',
  'drop',
]);

/** Why a chisel has another number, or undefined. */
function reasonFor(chisel, key, isStale) {
  if (chisel === 'topscalls_time' && otherEvents.has(key)) return 'no system call';
  if (chisel === 'topscalls_time' && key === 'accept') return 'sysdig calls accept4 accept';
  if (isStale)
    return 'sysdig takes exit events without enter event for calls on the last descriptor';
  return undefined;
}

/** The first column of the only row that SQL over a capture gives. */
function ask(capture, sql) {
  const text = execFileSync(process.execPath, [sfkit, 'query', capture, sql, '--format', 'csv'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return text.trimEnd().split('\n')[1];
}

/**
 * Whether a capture has exit events whose enter event is missing, of calls that usually have both.
 */
function hasLoneExits(capture) {
  const sql = `select count(*) > 0 from events
    where direction = 'exit' and latency is null and coalesce(fd, -1) < 0 and (is_io or type = 'fcntl')`;
  return ask(capture, sql) === 'true';
}

/** How often the kernel said that a descriptor is closed. */
function closedDescriptors(capture) {
  return Number(ask(capture, "select count(*) from events where error = 'EBADF'"));
}

/** Sums of the numbers by process id, the last part of the keys. */
function byProcess(numbers) {
  const sums = new Map();
  for (const [key, number] of numbers) {
    const pid = key.split(' ').at(-1);
    sums.set(pid, (sums.get(pid) ?? 0) + number);
  }
  return sums;
}

let rows = 0;
let explained = 0;
let differences = 0;
for (const capture of process.argv.slice(2)) {
  const isStale = hasLoneExits(capture);
  const closed = closedDescriptors(capture);
  for (const [chisel, args, keys, measure, factor] of pairs) {
    const sums = new Map();
    for (const row of topRows(capture, args)) {
      const key = keys.map((name) => row[name] ?? '<NA>').join(' ');
      sums.set(key, (sums.get(key) ?? 0) + Number(row[measure]));
    }
    const numbers = chiselRows(capture, chisel).map((data) => [
      data.slice(0, -1).join(' '),
      Number(data.at(-1)),
    ]);
    const hasProcesses = keys.at(-1) === 'pid';
    const theirs = hasProcesses ? byProcess(numbers) : undefined;
    const ours = hasProcesses ? byProcess(sums) : undefined;
    for (const [key, number] of numbers) {
      if (number === 0) continue;
      rows++;
      const own = Math.round((sums.get(key) ?? 0) * factor);
      // Times have microseconds in sfkit's table.
      if (Math.abs(own - number) <= (factor === 1e9 ? 1000 : 0)) continue;
      const pid = key.split(' ').at(-1);
      const isOfDescriptor = /file|net|conns|ports/.test(chisel);
      const isOfClosed = chisel === 'topfiles_errors' && number > own && number - own <= closed;
      const reason =
        reasonFor(chisel, key, isStale && isOfDescriptor) ??
        (hasProcesses && theirs.get(pid) === ours.get(pid) * factor
          ? 'sysdig keeps the name from before a clone'
          : isOfClosed
            ? 'sysdig has a descriptor that the kernel says is closed'
            : undefined);
      if (reason === undefined) differences++;
      else explained++;
      console.log(
        `${basename(capture)} ${chisel}: ${key}: sysdig ${number}, sfkit ${own}${reason === undefined ? '' : ` (${reason})`}`,
      );
    }
  }
}
console.log(`${rows} rows compared, ${explained} explained, ${differences} differ`);
process.exitCode = differences > 0 ? 1 : 0;
