import { createHash } from 'node:crypto';
import type { TableName } from '../engine/columns.gen.js';
import type { Codec } from '../engine/config.js';
import { containerTypes } from '../engine/schema.gen.js';
import { type BranchName, SysflowEncoder } from '../records/encode.js';
import { podDetails } from './pod-details.js';
import type { RowPrint, TableInput } from './table-input.js';
import type { MergedRows, RowCursor } from './table-rows.js';

// Rebuilds SysFlow records from table rows. A row shows its process, container and files as they
// were at its time, and so determines which of their records must precede it.

const processColumns = [
  'state',
  'proc_uid',
  'proc_user',
  'proc_gid',
  'proc_group',
  'proc_exe',
  'proc_args',
  'proc_cwd',
  'proc_tty',
  'proc_entry',
  'proc_env',
  'pproc_pid',
  'pproc_createts',
  'container_id',
];
const containerColumns = [
  'container_name',
  'container_imageid',
  'container_image',
  'container_type',
  'container_privileged',
  'pod_id',
];

const podColumns = [
  'pod_name',
  'pod_nname',
  'pod_ns',
  'pod_rstrtcnt',
  'pod_labels',
  'pod_selectors',
  'pod_hostip',
  'pod_internalip',
  'pod_services',
];

/** Fingerprint of these columns: equal for rows in the same state. */
const processPrint: RowPrint = { name: 'process_print', columns: processColumns };
// Record texts for unknown values, which are null in tables.
const notAvailable = '<NA>';
const incomplete = 'incomplete';

const containerPrint: RowPrint = { name: 'container_print', columns: containerColumns };
// The time of a pod's record has another name in rows that refer to it.
const podPrint: RowPrint = { name: 'pod_print', columns: ['ts_uts', ...podColumns] };
const rowPodPrint: RowPrint = { name: 'pod_print', columns: ['pod_ts', ...podColumns] };
const filePrint: RowPrint = { name: 'file_print', columns: ['file_type'] };

/** Converts an input of tables to the bytes of a SysFlow file. */
export async function* rebuildSysflow(
  input: TableInput,
  codec: Codec = 'deflate',
): AsyncGenerator<Buffer> {
  const rebuilder = await Rebuilder.open(input, codec);
  try {
    yield* rebuilder.run();
  } finally {
    rebuilder.close();
  }
}

/**
 * Rows of one key: row numbers, fingerprints, last position of each fingerprint, and the number of
 * rows passed.
 */
interface EntityEntry {
  rows: number[];
  prints: bigint[];
  last: Map<bigint, number>;
  passed: number;
}

/**
 * The rows of one entity table, indexed by the entity's key. A row is passed once it is written.
 */
class EntityRows {
  readonly #rows: MergedRows;
  readonly #keyOf: (cursor: RowCursor) => string;
  readonly #index = new Map<string, EntityEntry>();
  #passed = 0;
  /** The next row, if peek() has read it. */
  #ahead: RowCursor | undefined;

  private constructor(rows: MergedRows, keyOf: (cursor: RowCursor) => string) {
    this.#rows = rows;
    this.#keyOf = keyOf;
  }

  /** Calls `visit` once per row, in order, before any row is passed. */
  static async open(
    input: TableInput,
    table: TableName,
    keyOf: (cursor: RowCursor) => string,
    print?: RowPrint,
    visit?: (row: RowCursor, number: number) => void,
  ): Promise<EntityRows> {
    const more = print === undefined ? [] : [print];
    const entities = new EntityRows(await input.rows(table, more), keyOf);
    const rows = await input.rows(table, more);
    try {
      let number = 0;
      for (let cursor = await rows.next(); cursor !== undefined; cursor = await rows.next()) {
        const key = keyOf(cursor);
        const entry: EntityEntry = entities.#index.get(key) ?? {
          rows: [],
          prints: [],
          last: new Map(),
          passed: 0,
        };
        entities.#index.set(key, entry);
        visit?.(cursor, number);
        const look = cursor.long(print?.name ?? '');
        entry.last.set(look, entry.rows.length);
        entry.rows.push(number++);
        entry.prints.push(look);
      }
    } finally {
      rows.close();
    }
    return entities;
  }

  /** Number of rows passed, which is also the number of the next row. */
  get passed(): number {
    return this.#passed;
  }

  has(key: string): boolean {
    return this.#index.has(key);
  }

  /**
   * Number of rows to pass until the newest row of the key has this fingerprint; 0 if it has
   * already, or no row has.
   */
  neededFor(key: string, look: bigint | undefined, isKnown: boolean): number {
    const entry = this.#index.get(key);
    if (entry === undefined) return 0;
    if (isKnown && (look === undefined || entry.prints[entry.passed - 1] === look)) return 0;
    const last = look === undefined ? entry.rows.length - 1 : (entry.last.get(look) ?? -1);
    for (let place = entry.passed; place <= last; place++) {
      if (look === undefined || entry.prints[place] === look)
        return (entry.rows[place] as number) + 1;
    }
    return isKnown ? 0 : (entry.rows[entry.passed] ?? -1) + 1;
  }

  /** Returns the next row without passing it. */
  async peek(): Promise<RowCursor | undefined> {
    this.#ahead ??= await this.#rows.next();
    return this.#ahead;
  }

  /** Passes the next row, unless `count` rows are passed already. */
  async next(count: number): Promise<RowCursor | undefined> {
    if (this.#passed >= count) return undefined;
    const cursor = await this.peek();
    this.#ahead = undefined;
    if (cursor === undefined) return undefined;
    this.#passed += 1;
    const entry = this.#index.get(this.#keyOf(cursor));
    if (entry !== undefined) entry.passed += 1;
    return cursor;
  }

  close(): void {
    this.#rows.close();
  }
}

const processKey = (cursor: RowCursor, prefix = 'proc') =>
  `${cursor.long(`${prefix}_createts`)} ${cursor.long(`${prefix}_pid`)}`;
const fileKey = (cursor: RowCursor) => cursor.text('file_oid');
const containerKey = (cursor: RowCursor) => cursor.text('container_id');
const podKey = (cursor: RowCursor) => cursor.text('pod_id');
const headerKey = (cursor: RowCursor) =>
  JSON.stringify(['node_id', 'node_ip', 'filename'].map((name) => cursor.text(name)));

/**
 * Runs of ancestors that were written for the sake of a child, which follows them: the child's
 * container was written before all of them.
 */
class Chains {
  readonly #containers = new Map<number, Set<string>>();
  #first = 0;
  #key = '';
  #time = -1n;

  add(row: RowCursor, number: number): void {
    const isChild =
      number > 0 && row.long('ts_uts') === this.#time && processKey(row, 'pproc') === this.#key;
    if (!isChild) this.#first = number;
    this.#key = processKey(row);
    this.#time = row.long('ts_uts');
    const container = containerKey(row);
    if (container === '') return;
    const containers = this.#containers.get(this.#first) ?? new Set();
    this.#containers.set(this.#first, containers.add(container));
  }

  containersOf(number: number): readonly string[] {
    return [...(this.#containers.get(number) ?? [])].reverse();
  }
}

class Rebuilder {
  readonly #input: TableInput;
  readonly #encoder: SysflowEncoder;
  readonly #out: Buffer[] = [];
  readonly #processes: EntityRows;
  readonly #files: EntityRows;
  readonly #containers: EntityRows;
  readonly #pods: EntityRows;
  readonly #headers: EntityRows;
  readonly #chains: Chains;
  #header: string | undefined;
  /**
   * Entities written since the header, with the fingerprint of those derived from a row that refers
   * to them.
   */
  readonly #known = {
    processes: new Map<string, bigint | undefined>(),
    files: new Map<string, bigint | undefined>(),
    containers: new Map<string, bigint | undefined>(),
    pods: new Map<string, bigint | undefined>(),
  };

  private constructor(
    input: TableInput,
    [processes, files, containers, pods, headers]: [
      EntityRows,
      EntityRows,
      EntityRows,
      EntityRows,
      EntityRows,
    ],
    chains: Chains,
    codec: Codec,
  ) {
    this.#input = input;
    this.#encoder = new SysflowEncoder(codec);
    this.#chains = chains;
    this.#processes = processes;
    this.#files = files;
    this.#containers = containers;
    this.#pods = pods;
    this.#headers = headers;
  }

  static async open(input: TableInput, codec: Codec): Promise<Rebuilder> {
    const chains = new Chains();
    const rows: [EntityRows, EntityRows, EntityRows, EntityRows, EntityRows] = [
      await EntityRows.open(input, 'process', processKey, processPrint, (row, number) =>
        chains.add(row, number),
      ),
      await EntityRows.open(input, 'file', fileKey, filePrint),
      await EntityRows.open(input, 'container', containerKey, containerPrint),
      await EntityRows.open(input, 'pod', podKey, podPrint),
      await EntityRows.open(input, 'header', headerKey),
    ];
    return new Rebuilder(input, rows, chains, codec);
  }

  async *run(): AsyncGenerator<Buffer> {
    this.#input.compareColumns([]);
    const rows = await this.#input.rows('sysflow', [
      processPrint,
      containerPrint,
      rowPodPrint,
      filePrint,
    ]);
    try {
      for (let cursor = await rows.next(); cursor !== undefined; cursor = await rows.next()) {
        this.#input.count('sysflow', cursor);
        await this.#enterHeader(cursor);
        await this.#catchUp(cursor);
        await this.#introduce(cursor);
        this.#addRow(cursor);
        yield* this.#out.splice(0);
      }
    } finally {
      rows.close();
    }
    if (this.#header === undefined) await this.#firstHeader();
    await this.#passPods(Infinity);
    await this.#passContainers(Infinity);
    await this.#passProcesses(Infinity);
    await this.#passFiles(Infinity);
    for (
      let left = await this.#headers.next(Infinity);
      left !== undefined;
      left = await this.#headers.next(Infinity)
    ) {
      this.#input.skip('unused-headers');
    }
    yield* this.#out.splice(0);
    yield this.#encoder.take();
  }

  close(): void {
    for (const rows of [this.#processes, this.#files, this.#containers, this.#pods, this.#headers])
      rows.close();
  }

  #add(name: BranchName, record: object): void {
    const bytes = this.#encoder.add(name, record);
    if (bytes !== undefined) this.#out.push(bytes);
  }

  async #enterHeader(cursor: RowCursor): Promise<void> {
    const key = headerKey(cursor);
    if (key === this.#header) return;
    this.#header = key;
    const needed = this.#headers.neededFor(key, undefined, false);
    for (
      let row = await this.#headers.next(needed);
      row !== undefined;
      row = await this.#headers.next(needed)
    );
    this.#writeHeader(cursor);
  }

  async #firstHeader(): Promise<void> {
    const row = await this.#headers.next(1);
    if (row !== undefined) this.#writeHeader(row);
  }

  /** After each header, entities are written again before records refer to them. */
  #writeHeader(row: RowCursor): void {
    this.#add('Header', {
      version: 5n,
      exporter: row.text('node_id'),
      ip: row.text('node_ip'),
      filename: row.text('filename'),
    });
    for (const known of Object.values(this.#known)) known.clear();
  }

  /**
   * Writes the processes and files that are older than the row. Their time, like that of an event,
   * is when they were written. A flow is written at its end or later.
   */
  async #catchUp(row: RowCursor): Promise<void> {
    const end = row.get('endts_uts') as bigint | null;
    const limit = end === null ? row.long('ts_uts') : end - 1n;
    for (;;) {
      const process = await this.#processes.peek();
      const file = await this.#files.peek();
      const processTime = process?.long('ts_uts');
      const fileTime = file?.long('ts_uts');
      if (
        processTime !== undefined &&
        processTime <= limit &&
        (fileTime === undefined || processTime <= fileTime)
      ) {
        await this.#passProcesses(this.#processes.passed + 1);
      } else if (fileTime !== undefined && fileTime <= limit) {
        await this.#passFiles(this.#files.passed + 1);
      } else if (processTime !== undefined && processTime <= limit) {
        await this.#passProcesses(this.#processes.passed + 1);
      } else {
        return;
      }
    }
  }

  /** Writes the entities that the row refers to and that are not written yet. */
  async #introduce(cursor: RowCursor): Promise<void> {
    if (cursor.get('proc_pid') === null) return;
    const isKnown = cursor.get('proc_exe') !== null || cursor.get('state') !== null;
    if (cursor.get('container_id') !== null) await this.#introduceContainer(cursor);
    if (cursor.get('pproc_pid') !== null && cursor.get('pproc_exe') !== null)
      await this.#introduceParent(cursor);
    if (isKnown) await this.#introduceProcess(cursor);
    if (cursor.get('file_path') !== null) {
      await this.#introduceFile(cursor, 'file_oid', 'file_path', cursor.long('file_print'));
    }
    // A row does not show the type of its second file.
    if (cursor.get('file_newpath') !== null) {
      await this.#introduceFile(cursor, 'file_newoid', 'file_newpath', undefined);
    }
  }

  async #introduceContainer(cursor: RowCursor): Promise<void> {
    const id = cursor.text('container_id');
    const look = cursor.long('container_print');
    if (cursor.get('pod_id') !== null && cursor.get('pod_name') !== null)
      await this.#introducePod(cursor);
    if (!this.#containers.has(id)) {
      if (this.#known.containers.get(id) === look && this.#known.containers.has(id)) return;
      this.#countRebuilt();
      this.#writeContainer(cursor, look);
      return;
    }
    await this.#passContainers(
      this.#containers.neededFor(id, look, this.#known.containers.has(id)),
    );
  }

  async #introducePod(cursor: RowCursor): Promise<void> {
    const id = cursor.text('pod_id');
    const look = cursor.long('pod_print');
    if (this.#pods.has(id)) {
      await this.#passPods(this.#pods.neededFor(id, look, this.#known.pods.has(id)));
      return;
    }
    if (this.#known.pods.get(id) === look) return;
    this.#countRebuilt();
    this.#writePod(cursor, look);
  }

  async #introduceProcess(cursor: RowCursor): Promise<void> {
    const key = processKey(cursor);
    const look = cursor.long('process_print');
    if (!this.#processes.has(key)) {
      if (this.#known.processes.get(key) === look) return;
      this.#countRebuilt();
      this.#writeProcess(cursor, 'proc', look);
      return;
    }
    await this.#passProcesses(this.#processes.neededFor(key, look, this.#known.processes.has(key)));
  }

  async #introduceParent(cursor: RowCursor): Promise<void> {
    const key = processKey(cursor, 'pproc');
    if (this.#known.processes.has(key)) return;
    if (this.#processes.has(key)) {
      await this.#passProcesses(this.#processes.neededFor(key, undefined, false));
    } else {
      this.#countRebuilt();
      this.#writeProcess(cursor, 'pproc', undefined);
    }
  }

  async #introduceFile(
    cursor: RowCursor,
    oidColumn: string,
    pathColumn: string,
    look: bigint | undefined,
  ): Promise<void> {
    const oid = cursor.text(oidColumn);
    const isKnown = this.#known.files.has(oid);
    if (this.#files.has(oid)) {
      await this.#passFiles(this.#files.neededFor(oid, look, isKnown));
      return;
    }
    if (isKnown && (look === undefined || this.#known.files.get(oid) === look)) return;
    this.#countRebuilt();
    const path = cursor.text(pathColumn);
    const container = containerOf(oid, path, cursor.get('container_id') as string | null);
    this.#writeFile(cursor, 'REUP', oid, path, container, look);
  }

  #countRebuilt(): void {
    this.#input.skip('rebuilt-records');
  }

  async #passPods(count: number): Promise<void> {
    for (
      let row = await this.#pods.next(count);
      row !== undefined;
      row = await this.#pods.next(count)
    ) {
      this.#input.count('pod', row);
      this.#writePod(row, row.long('pod_print'));
    }
  }

  async #passContainers(count: number): Promise<void> {
    for (
      let row = await this.#containers.next(count);
      row !== undefined;
      row = await this.#containers.next(count)
    ) {
      this.#input.count('container', row);
      const pod = podKey(row);
      if (pod !== '' && !this.#known.pods.has(pod))
        await this.#passPods(this.#pods.neededFor(pod, undefined, false));
      this.#writeContainer(row, row.long('container_print'));
    }
  }

  async #passProcesses(count: number): Promise<void> {
    for (;;) {
      const containers = this.#chains.containersOf(this.#processes.passed);
      const row = await this.#processes.next(count);
      if (row === undefined) return;
      this.#input.count('process', row);
      for (const id of containers) await this.#passContainer(id);
      await this.#passContainer(containerKey(row));
      this.#writeProcess(row, 'proc', row.long('process_print'));
    }
  }

  async #passFiles(count: number): Promise<void> {
    for (
      let row = await this.#files.next(count);
      row !== undefined;
      row = await this.#files.next(count)
    ) {
      this.#input.count('file', row);
      await this.#passContainer(containerKey(row));
      const container = row.get('container_id') as string | null;
      const look = row.long('file_print');
      this.#writeFile(
        row,
        stateOf(row),
        row.text('file_oid'),
        row.text('file_path'),
        container,
        look,
      );
    }
  }

  async #passContainer(id: string): Promise<void> {
    if (id === '' || this.#known.containers.has(id)) return;
    await this.#passContainers(this.#containers.neededFor(id, undefined, false));
  }

  #writePod(row: RowCursor, look: bigint): void {
    const id = podKey(row);
    this.#known.pods.set(id, look);
    this.#add('Pod', {
      ts: row.get('pod_ts') ?? row.long('ts_uts'),
      id,
      name: row.text('pod_name'),
      nodeName: row.text('pod_nname'),
      namespace: row.text('pod_ns'),
      restartCount: row.long('pod_rstrtcnt'),
      ...podDetails(row, (reason) => this.#input.skip(reason)),
    });
  }

  #writeContainer(row: RowCursor, look: bigint): void {
    const id = containerKey(row);
    this.#known.containers.set(id, look);
    const isKnown = row.get('container_name') !== null || row.get('container_image') !== null;
    this.#add('Container', {
      id,
      name: isKnown ? row.text('container_name') : incomplete,
      image: isKnown ? row.text('container_image') : `${incomplete}:${incomplete}`,
      imageid: row.text('container_imageid'),
      type: oneOf(containerTypes, row.text('container_type'), isKnown ? 'CT_CUSTOM' : 'CT_DOCKER'),
      privileged: row.get('container_privileged') === true,
      podId: row.get('pod_id'),
    });
  }

  #writeProcess(row: RowCursor, prefix: 'proc' | 'pproc', look: bigint | undefined): void {
    this.#known.processes.set(processKey(row, prefix), look);
    const isParent = prefix === 'pproc';
    const createTS = row.long(`${prefix}_createts`);
    this.#add('Process', {
      state: isParent ? 'REUP' : stateOf(row),
      oid: { createTS, hpid: row.long(`${prefix}_pid`) },
      poid:
        isParent || row.get('pproc_pid') === null
          ? null
          : { createTS: row.long('pproc_createts'), hpid: row.long('pproc_pid') },
      ts: isParent ? createTS : row.long('ts_uts'),
      exe: row.get(`${prefix}_exe`) ?? notAvailable,
      exeArgs: row.text(`${prefix}_args`),
      uid: row.number(`${prefix}_uid`),
      userName: row.get(`${prefix}_user`) ?? notAvailable,
      gid: row.number(`${prefix}_gid`),
      groupName: row.get(`${prefix}_group`) ?? notAvailable,
      tty: row.get(`${prefix}_tty`) === true,
      containerId: row.get('container_id'),
      entry: row.get(`${prefix}_entry`) === true,
      cwd: row.text(`${prefix}_cwd`),
      env: environment(row.text(`${prefix}_env`)),
    });
  }

  #writeFile(
    row: RowCursor,
    state: string,
    oid: string,
    path: string,
    containerId: string | null,
    look: bigint | undefined,
  ): void {
    this.#known.files.set(oid, look);
    this.#add('File', {
      state,
      oid: foid(oid),
      ts: row.long('ts_uts'),
      restype: (row.text('file_type') || '?').charCodeAt(0),
      path,
      containerId,
    });
  }

  #addRow(row: RowCursor): void {
    const type = row.text('type');
    const ts = row.long('ts_uts');
    if (type === 'KE') {
      this.#add('K8sEvent', {
        kind: oneOf(k8sKinds, row.text('k8s_kind'), 'K8S_UNKNOWN'),
        action: oneOf(k8sActions, row.text('k8s_action'), 'K8S_COMPONENT_UNKNOWN'),
        ts,
        message: row.text('k8s_msg'),
      });
      return;
    }
    const common = {
      procOID: { createTS: row.long('proc_createts'), hpid: row.long('proc_pid') },
      ts,
      tid: row.long('proc_tid'),
      opFlags: row.number('opflags_bitmap'),
    };
    const flow = () => ({
      ...common,
      endTs: row.long('endts_uts'),
      fd: row.number('file_fd'),
      numRRecvOps: row.long('flow_rops'),
      numWSendOps: row.long('flow_wops'),
      numRRecvBytes: row.long('flow_rbytes'),
      numWSendBytes: row.long('flow_wbytes'),
    });
    const newOid = row.get('file_newoid') as string | null;
    switch (type) {
      case 'PE':
        this.#add('ProcessEvent', {
          ...common,
          args: this.#arguments(row),
          ret: row.number('ret'),
        });
        return;
      case 'FE':
        this.#add('FileEvent', {
          ...common,
          fileOID: foid(row.text('file_oid')),
          ret: row.number('ret'),
          newFileOID: newOid === null ? null : foid(newOid),
        });
        return;
      case 'NE': {
        const [sip, dip] = [ipv4(row.text('net_sip')), ipv4(row.text('net_dip'))];
        if (sip === undefined || dip === undefined) {
          this.#input.skip('ipv6-flows');
          return;
        }
        this.#add('NetworkEvent', {
          ...common,
          sip,
          sport: row.number('net_sport'),
          dip,
          dport: row.number('net_dport'),
          proto: row.number('net_proto'),
          ret: row.number('ret'),
        });
        return;
      }
      case 'FF':
        this.#add('FileFlow', {
          ...flow(),
          openFlags: row.number('file_openflags'),
          fileOID: foid(row.text('file_oid')),
        });
        return;
      case 'PF':
        this.#add('ProcessFlow', {
          ...common,
          endTs: row.long('endts_uts'),
          numThreadsCloned: row.long('pf_nthreads'),
          numThreadsExited: row.long('pf_nexits'),
          numCloneErrors: row.long('pf_nerrors'),
        });
        return;
      case 'NF': {
        const [sip, dip] = [ipv4(row.text('net_sip')), ipv4(row.text('net_dip'))];
        if (sip === undefined || dip === undefined) {
          this.#input.skip('ipv6-flows');
          return;
        }
        this.#add('NetworkFlow', {
          ...flow(),
          sip,
          sport: row.number('net_sport'),
          dip,
          dport: row.number('net_dport'),
          proto: row.number('net_proto'),
        });
        return;
      }
      default:
        this.#input.skip('rows-of-unknown-type');
    }
  }

  /**
   * The user of a SETUID is one text, or a number if it has no name; other arguments were joined by
   * blanks.
   */
  #arguments(row: RowCursor): string[] {
    const text = row.text('evt_args');
    if (text === '') return [];
    const isUser = (row.number('opflags_bitmap') & setuidBit) !== 0;
    if (isUser && /^\d+$/.test(text)) return [notAvailable];
    if (isUser || !text.includes(' ')) return [text];
    this.#input.skip('split-arguments');
    return text.split(' ');
  }
}

const setuidBit = 8;

const k8sKinds = [
  'K8S_NODES',
  'K8S_NAMESPACES',
  'K8S_PODS',
  'K8S_REPLICATIONCONTROLLERS',
  'K8S_SERVICES',
  'K8S_EVENTS',
  'K8S_REPLICASETS',
  'K8S_DAEMONSETS',
  'K8S_DEPLOYMENTS',
];
const k8sActions = [
  'K8S_COMPONENT_ADDED',
  'K8S_COMPONENT_MODIFIED',
  'K8S_COMPONENT_DELETED',
  'K8S_COMPONENT_ERROR',
  'K8S_COMPONENT_NONEXISTENT',
];

function oneOf(symbols: readonly string[], text: string, fallback: string): string {
  return symbols.includes(text) ? text : fallback;
}

function stateOf(row: RowCursor): string {
  return oneOf(['CREATED', 'MODIFIED', 'REUP'], row.text('state'), 'REUP');
}

function foid(hex: string): Buffer {
  return Buffer.from(hex.padStart(40, '0').slice(0, 40), 'hex');
}

/**
 * The identity of a file is a hash of container and path, which shows whether the file is in the
 * container.
 */
function containerOf(oid: string, path: string, container: string | null): string | null {
  if (container === null) return null;
  return createHash('sha1').update(container).update(path).digest('hex') === oid ? container : null;
}

/**
 * Variables were joined by ";", which values can contain too: a variable starts where a name and =
 * follow.
 */
function environment(text: string): string[] {
  return text === '' ? [] : text.split(/;(?=[A-Za-z_][A-Za-z0-9_%().-]*=)/);
}

function ipv4(text: string): number | undefined {
  const parts = text.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255))
    return undefined;
  return Buffer.from(parts).readInt32LE();
}
