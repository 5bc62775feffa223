import type { DuckDBConnection } from '@duckdb/node-api';

// The processes of captures as a tree, with what they opened and connected to.

/** A process and its place in the tree. */
export interface TreeProcess {
  /** Position in the list of all processes. */
  id: number;
  filename: string;
  pid: bigint;
  /** The process that made it, as far as it is known. */
  forkedBy: bigint | null;
  /** ns since 1970; null if it is older than the capture. */
  start: bigint | null;
  /** ns since 1970; null if it outlived the capture. */
  end: bigint | null;
  /** ns; null if one of the two is unknown. */
  duration: bigint | null;
  exitCode: bigint | null;
  signal: bigint | null;
  user: string | null;
  container: string | null;
  comm: string | null;
  exe: string | null;
  cmdline: string | null;
  /** Position of the parent; undefined for a root. */
  parent: number | undefined;
  children: number[];
  files: TreeItem[];
  connections: TreeItem[];
}

/** A file or connection of a process. */
export interface TreeItem {
  name: string;
  /** What the process did with it, such as OPEN or RENAME. */
  operations: readonly string[];
  read: bigint;
  written: bigint;
}

export interface TreeOptions {
  files: boolean;
  connections: boolean;
}

/** SQL that names the tables that the tree reads, for openDataset(). */
export function treeTables({ files, connections }: TreeOptions): string {
  const records = [
    ...(files ? ['file_flow', 'file_event'] : []),
    ...(connections ? ['network_flow'] : []),
  ];
  return [processSql, ...records.map((table) => `SELECT 1 FROM ${table}`)].join('; ');
}

const processSql = `SELECT pid, coalesce(forked_by, ppid), ts_uts, endts_uts, duration, exit_code, signal, "user",
  coalesce(container_name, container_id), comm, exe, cmdline, filename
FROM processes ORDER BY filename, ts_uts NULLS FIRST, pid`;

const itemSql = {
  files: `SELECT filename, proc_pid, proc_createts, name, list_sort(list_distinct(flatten(list(ops)))),
    CAST(sum(read) AS BIGINT), CAST(sum(written) AS BIGINT)
  FROM (
    SELECT filename, proc_pid, proc_createts, file_path AS name, opflags AS ops, flow_rbytes AS read, flow_wbytes AS written
    FROM file_flow
    UNION ALL
    SELECT filename, proc_pid, proc_createts, concat_ws(' -> ', file_path, nullif(file_newpath, '')), opflags, 0, 0 FROM file_event
  ) WHERE name IS NOT NULL AND proc_pid IS NOT NULL
  GROUP BY ALL ORDER BY sum(read) + sum(written) DESC, name`,
  connections: `SELECT filename, proc_pid, proc_createts,
    concat(CASE net_proto WHEN 6 THEN 'tcp ' WHEN 17 THEN 'udp ' ELSE '' END, address(net_sip, net_sport), ' -> ', address(net_dip, net_dport)) AS name,
    list_sort(list_distinct(flatten(list(opflags)))), CAST(sum(flow_rbytes) AS BIGINT), CAST(sum(flow_wbytes) AS BIGINT)
  FROM network_flow WHERE proc_pid IS NOT NULL
  GROUP BY ALL ORDER BY sum(flow_rbytes) + sum(flow_wbytes) DESC, name`,
};

const addressSql = `CREATE OR REPLACE TEMP MACRO address(ip, port) AS
  CASE WHEN contains(ip, ':') THEN concat('[', ip, ']:', port) ELSE concat(ip, ':', port) END`;

/** Reads the processes of a dataset and links them. */
export async function readTree(
  connection: DuckDBConnection,
  options: TreeOptions,
): Promise<TreeProcess[]> {
  const rows = (await connection.runAndReadAll(processSql)).getRows();
  const processes = rows.map((row, id): TreeProcess => {
    const [
      pid,
      forkedBy,
      start,
      end,
      duration,
      exitCode,
      signal,
      user,
      container,
      comm,
      exe,
      cmdline,
      filename,
    ] = row;
    return {
      id,
      filename: filename as string,
      pid: pid as bigint,
      forkedBy: forkedBy as bigint | null,
      start: start as bigint | null,
      end: end as bigint | null,
      duration: duration as bigint | null,
      exitCode: exitCode as bigint | null,
      signal: signal as bigint | null,
      user: user as string | null,
      container: container as string | null,
      comm: comm as string | null,
      exe: exe as string | null,
      cmdline: cmdline as string | null,
      parent: undefined,
      children: [],
      files: [],
      connections: [],
    };
  });
  link(processes);
  if (options.connections) await connection.run(addressSql);
  for (const kind of ['files', 'connections'] as const) {
    if (options[kind]) await addItems(connection, processes, kind);
  }
  return processes;
}

/** Processes with one number, by start. */
type ByPid = Map<string, TreeProcess[]>;

const keyOf = (filename: string, pid: bigint) => `${pid} ${filename}`;

function byPid(processes: readonly TreeProcess[]): ByPid {
  const found: ByPid = new Map();
  for (const process of processes) {
    const key = keyOf(process.filename, process.pid);
    const list = found.get(key);
    if (list === undefined) found.set(key, [process]);
    else list.push(process);
  }
  return found;
}

/** The last process with the number that had started by then. */
function startedBy(
  list: readonly TreeProcess[] | undefined,
  time: bigint,
): TreeProcess | undefined {
  if (list === undefined) return undefined;
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (((list[middle] as TreeProcess).start ?? 0n) <= time) low = middle + 1;
    else high = middle;
  }
  return list[low - 1];
}

/**
 * Sets parents and children. Processes in a loop, which only a crafted capture has, get no parent
 * where it closes.
 */
export function link(processes: readonly TreeProcess[]): void {
  const known = byPid(processes);
  for (const process of processes) {
    if (process.forkedBy === null) continue;
    const parent = startedBy(
      known.get(keyOf(process.filename, process.forkedBy)),
      process.start ?? 0n,
    );
    if (parent !== undefined && parent !== process) process.parent = parent.id;
  }
  // 0: not seen; its walk: seen in that walk; a walk that ends at one of an earlier walk is no
  // loop.
  const walks = new Uint32Array(processes.length);
  for (const process of processes) {
    let at: TreeProcess | undefined = process;
    while (at !== undefined && walks[at.id] === 0) {
      walks[at.id] = process.id + 1;
      const above: number | undefined = at.parent;
      if (above !== undefined && walks[above] === process.id + 1) at.parent = undefined;
      at = at.parent === undefined ? undefined : processes[at.parent];
    }
  }
  for (const process of processes) {
    if (process.parent !== undefined) processes[process.parent]?.children.push(process.id);
  }
}

async function addItems(
  connection: DuckDBConnection,
  processes: readonly TreeProcess[],
  kind: 'files' | 'connections',
): Promise<void> {
  const known = byPid(processes);
  for (const row of (await connection.runAndReadAll(itemSql[kind])).getRows()) {
    const [filename, pid, created, name, operations, read, written] = row as unknown[];
    const process = startedBy(
      known.get(keyOf(filename as string, pid as bigint)),
      (created as bigint | null) ?? 0n,
    );
    process?.[kind].push({
      name: name as string,
      operations: (operations as { items: string[] }).items,
      read: read as bigint,
      written: written as bigint,
    });
  }
}

/** A process where it stands in the tree. */
export interface Placed {
  process: TreeProcess;
  /** 0 for a root. */
  depth: number;
  /** For each ancestor below the root, then for itself: whether it is the last of its siblings. */
  lasts: readonly boolean[];
}

/**
 * Prefixes stop growing at this depth, so that a long chain of processes takes no more than linear
 * space.
 */
export const maxShownDepth = 60;

/** All processes below the roots, parents before children. */
export function* walk(
  processes: readonly TreeProcess[],
  roots: readonly TreeProcess[],
): Generator<Placed> {
  const pending: Placed[] = [...roots]
    .reverse()
    .map((process) => ({ process, depth: 0, lasts: [] }));
  for (let placed = pending.pop(); placed !== undefined; placed = pending.pop()) {
    yield placed;
    const { process, depth, lasts } = placed;
    for (let index = process.children.length - 1; index >= 0; index--) {
      const child = processes[process.children[index] as number] as TreeProcess;
      const isLast = index === process.children.length - 1;
      pending.push({
        process: child,
        depth: depth + 1,
        lasts: depth < maxShownDepth ? [...lasts, isLast] : [...lasts.slice(0, -1), isLast],
      });
    }
  }
}

export interface Selection {
  /** Only processes with this number, and their descendants. */
  pid?: bigint | undefined;
  /** Only processes that were alive at this time, in ns since 1970. */
  at?: bigint | undefined;
}

/** Reduces a tree to a selection; returns the roots. */
export function select(processes: readonly TreeProcess[], { pid, at }: Selection): TreeProcess[] {
  if (at !== undefined) {
    const isAlive = ({ start, end }: TreeProcess) =>
      (start ?? 0n) <= at && (end === null || end > at);
    for (const process of processes) {
      process.children = process.children.filter((child) =>
        isAlive(processes[child] as TreeProcess),
      );
      if (process.parent !== undefined && !isAlive(processes[process.parent] as TreeProcess))
        process.parent = undefined;
    }
    return rootsOf(processes.filter(isAlive), pid);
  }
  return rootsOf(processes, pid);
}

function rootsOf(processes: readonly TreeProcess[], pid: bigint | undefined): TreeProcess[] {
  if (pid === undefined) return processes.filter(({ parent }) => parent === undefined);
  return processes.filter((process) => process.pid === pid);
}
