import type { ReasonCount } from './reasons.js';
/**
 * The surface of the native addon, exactly as `native/addon/` exports it. Nothing but `src/engine/`
 * imports this; everyone else uses the typed sessions of `src/engine/session.ts`.
 */

/** What a session reads, what it makes of it, and how. Validated before it gets here. */
export interface NativeConfig {
  /** Path of the input. */
  input: string;
  /** 'auto' looks at the first bytes: a SysFlow file or a capture. 'live' is the running kernel, and `input` its name. */
  kind: 'auto' | 'capture' | 'sysflow' | 'live';
  /**
   * 'avro': bytes of a .sf file; 'files': bytes of .sf files, one for each header; 'datums': records one by one, as Avro datums; 'columns': column batches; 'lines': events of a capture as lines of text;
   * 'recovered': bytes of a capture without the faults of the input; 'info': read and count; 'findings': lines of JSON,
   * what the rules find; 'none': read, follow state, make nothing.
   */
  output: 'avro' | 'columns' | 'datums' | 'files' | 'lines' | 'recovered' | 'info' | 'findings' | 'none';
  /** Tables wanted of 'columns': names of native/tables/columns.json, or 'sysflow' for all events and flows in one. */
  tables: string[];
  /** Rows of a full batch (1 to 122880). */
  batchRows: number;
  /** SFHeader.exporter, SFHeader.ip and SFHeader.filename. */
  exporter: string;
  nodeIp: string;
  filename: string;
  /** 0 all, 1 none, 2 select: which read-only file flows are kept. */
  fileReadMode: 0 | 1 | 2;
  fileOnly: boolean;
  processFlow: boolean;
  containersOnly: boolean;
  compat: '' | 'sysflow-0.7';
  /** A Falco filter: only events that pass it make records, are listed or counted; '' for all. */
  filter: string;
  /** Of 'datums': also give the bytes of .sf files, one for each header. */
  withFiles: boolean;
  /** How files are followed: 0 flows, 1 an open alone (consumer mode), 2 not at all. */
  mode: 0 | 1 | 2;
  /** Seconds of event time after which a header begins anew and entities are given again; 0 never. */
  rotateInterval: number;
  /** Of 'lines': the template '' stands for the default one; 'count' makes none and only counts. */
  lineFormat: 'text' | 'json' | 'count';
  line: string;
  /** Of 'lines': the first and the last event that are shown; null for those of the capture. */
  from: NativeBound | null;
  to: NativeBound | null;
  /** Of 'live'. */
  live: NativeLiveConfig;
  /** Keep what takeBusiest() tells. */
  tallies: boolean;
  /** Of 'findings'; null otherwise. */
  rules: (NativeRules & NativeMatching) | null;
}

/** Rules whose lists are filled into their texts (native/src/rules/definitions.h). */
export interface NativeRules {
  macros: {
    name: string;
    condition: string;
    /** Among all definitions. */
    place: number;
    /** Macros whose place is below this one are known to it. */
    sees: number;
  }[];
  rules: {
    condition: string;
    output: string;
    /** An unknown field or event type leaves the rule out and is no error. */
    skipUnknown: boolean;
    /** Warn where the condition is about very many events, or none. */
    warnEventTypes: boolean;
  }[];
}

export interface NativeMatching {
  /** Every rule that an event matches; else the first in their order. */
  allMatching: boolean;
  /** Count what was found before, but for times and numbers of processes; else each is given. */
  fold: boolean;
  /** Distinct findings that are given with \`fold\`. */
  maxDistinct: number;
}

/** What was compiled; after an error so far as it came. */
export interface NativeCompilation {
  isOk: boolean;
  /** In the order of the work: an error is the last. */
  diagnostics: NativeDiagnostic[];
  macros: { condition: string; used: boolean }[];
  rules: {
    /** Compiled, and not left out. */
    isTaken: boolean;
    /** With its macros filled in. */
    condition: string;
    /** Fields of it that nobody can answer. */
    unanswered: string[];
    /** Fields of it that need the description of a container. */
    described: string[];
    /** Some event may satisfy it. */
    canMatch: boolean;
  }[];
}

export interface NativeDiagnostic {
  remark:
    | 'syntax'
    | 'macro'
    | 'condition'
    | 'output'
    | 'skipped'
    | 'value'
    | 'deprecatedField'
    | 'deprecatedOutput'
    | 'containerInfo'
    | 'unsafeComparison'
    | 'eventTypes';
  /** Whose it is. */
  of: 'macro' | 'rule';
  index: number;
  /** The place is in the rule's output. */
  isOfOutput: boolean;
  /** The macro in whose condition the place is; null: in the rule's own condition or output. */
  macro: number | null;
  /** Byte of that text in UTF-8. */
  at: number;
  message: string;
}

/** What the probe in the kernel records. */
export interface NativeProbeOptions {
  /** Also calls that change no state and make no records. */
  allSyscalls: boolean;
  /** Bytes of data of each read and write (0 to 4096). */
  snaplen: number;
  /** 1 of so many of the calls that change no state is kept (1 to 128). */
  samplingRatio: number;
  /** Bytes of each buffer between kernel and engine: a power of two from 4096 to 2^28. */
  ringBytes: number;
  /** Processors that share a buffer; 0: one for all. */
  cpusPerRing: number;
  /** Use raw tracepoints, though programs for those with BTF can be loaded. */
  rawTracepoints: boolean;
}

export interface NativeLiveConfig extends NativeProbeOptions {
  /** Capture file to write at the same time; '' for none. */
  recordPath: string;
  recordGzip: boolean;
  /** Give up, in the whole process, what is not needed any more once the capture goes on. */
  dropsPrivileges: boolean;
  /** Ends after so many events; 0: never. */
  maxEvents: number;
}

/** A place in a capture: an event's number, ns since 1970, or ns since the first system call. */
export interface NativeBound {
  kind: 'number' | 'time' | 'relative';
  value: bigint;
}

/** Values of one physical column of a batch. A string column holds indexes into the batch's strings. */
export interface NativeColumn {
  /** i32: Int32Array; i64: BigInt64Array; str: Uint32Array; bool: Uint8Array (0 or 1). */
  values: Int32Array | BigInt64Array | Uint32Array | Uint8Array;
  /** Bit i (least significant first) is 1 where row i has a value; null when every row has one. */
  valid: Uint8Array | null;
  /** Of ts_uts and endts_uts, the same for values that a time can have; missing when `valid` says as much. */
  possible?: Uint8Array;
}

export interface NativeColumnBatch {
  kind: 'columns';
  table: string;
  rows: number;
  /** How many headers came before the one the rows stand under: more than 0 where records are rotated. */
  file: number;
  /** Seconds since 1970 of the rotation that began it; 0 for the first. */
  begins: number;
  /** The distinct strings of this batch, UTF-8 as captured (not validated): string i is bytes[offsets[i]..offsets[i+1]]. */
  strings: { offsets: Uint32Array; bytes: Uint8Array };
  /** In the order of the table's columns that have no `from` in columns.json. */
  columns: NativeColumn[];
}

export interface NativeBytesBatch {
  kind: 'bytes';
  /** The next bytes of the file, or whole lines. */
  bytes: Uint8Array;
  /** Of 'files', and of 'datums' with files: which file, from 0; one begins when the one before is whole. */
  file?: number;
  /** Seconds since 1970 of the rotation that began it; 0 for the first. */
  begins?: number;
}

/** SysFlow records, each a datum of the schema's record SysFlow: datum i is bytes[ends[i - 1]..ends[i]]. */
export interface NativeDatumBatch {
  kind: 'datums';
  /**
   * Network flows with IPv6 addresses come as branch 12 of the union, which the schema does not have; branch 13 is the
   * identity of a process that no later record refers to unless it is written anew, and branch 14, of no more than its
   * number, says that of all files.
   */
  bytes: Uint8Array;
  ends: Uint32Array;
}

export type NativeBatch = NativeColumnBatch | NativeBytesBatch | NativeDatumBatch;

export interface NativeDamage {
  kind: string;
  /** Byte offset in the (decompressed) stream. */
  offset: bigint;
  skippedBytes: bigint;
  message: string;
}

/** What a capture is and holds; of its first section where they differ. */
export interface NativeInfo {
  /** Format version, such as 1.2. */
  version: string;
  /** Written in the byte order that this machine has not. */
  swapped: boolean;
  /** Version of its process lists, 0 without one. */
  processList: number;
  /** Event blocks say how many parameters they have. */
  countedParameters: boolean;
  /** Has calls that newer writers record where they return only. */
  hasEnters: boolean;
  /** What these facts tell of the writer's age. */
  writer: string;
  sections: bigint;
  hostname: string;
  /** 0 when unknown. */
  cpus: number;
  memoryBytes: bigint;
  /** ns since 1970; 0 when unknown. */
  bootTime: bigint;
  /** Named by the lists of all sections. */
  threads: bigint;
  processes: bigint;
  descriptors: bigint;
  users: bigint;
  groups: bigint;
  interfaces: bigint;
  /** Distinct containers of the last section. */
  containers: bigint;
  /** Events by type, the most frequent first. */
  events: { type: string; enter: bigint; exit: bigint }[];
}

export interface NativeSummary {
  /** 'scap' or 'sysflow'. */
  format: string;
  /** 'none' or 'gzip' for captures; the codec for SysFlow files. */
  compression: string;
  /** Event blocks read (records for SysFlow input). */
  events: bigint;
  /** Bytes of the (decompressed) stream. */
  bytes: bigint;
  /** Records made, by type name (Process, FileFlow, ...). */
  records: Record<string, bigint>;
  /** What was alive when that was told last: once a second of event time, and before the end's flows. */
  tables: NativeTableSizes;
  /** Of 'live': what the kernel handed over, and what it did not. */
  live: NativeLiveSummary;
  /** Of 'info'; empty otherwise. */
  info: NativeInfo;
  /** Of 'findings': containers that were met, and those of which only the id is known. */
  containersSeen: bigint;
  containersUndescribed: bigint;
  /** Events of 'lines' in the range asked for, or of 'recovered'. */
  shown: bigint;
  /** What was left out and why, with how often. */
  skipped: ReasonCount[];
  /** What was read or shown in another way than it stands in the input, with how often; nothing is lost. */
  notes: ReasonCount[];
  damage: NativeDamage[];
  /** ns since 1970 of the first and last event that has a real time; 0 without events. */
  firstTime: bigint;
  lastTime: bigint;
}

export interface NativeLiveSummary {
  /** The probe is at work, or was. */
  running: boolean;
  events: bigint;
  gaps: NativeGap[];
  /** Why the capture that is written at the same time is not whole; '' if it is. The capture ends when that happens. */
  recordingFailure: string;
  /** Why privileges that were to be dropped are still held; '' otherwise. */
  privilegesFailure: string;
}

/** Something that did not reach the records. */
export interface NativeGap extends ReasonCount {
  /** Events are missing that should not be. */
  isLoss: boolean;
}

/** How much was done by a process, or with a file or a connection. */
export interface NativeTallyRow {
  kind: 'process' | 'file' | 'connection';
  name: string;
  calls: bigint;
  /** Bytes. */
  read: bigint;
  written: bigint;
}

/** A container of which only the cgroups of its processes are known. */
export interface NativeUnknownContainer {
  /** The first 12 digits. */
  id: string;
  /** subsystem=path strings, each ended by NUL. */
  cgroups: string;
}

export interface NativeTableSizes {
  /** Seconds since 1970 of the first event; 0 before it. */
  begins: bigint;
  containers: bigint;
  processes: bigint;
  files: bigint;
  networkFlows: bigint;
  fileFlows: bigint;
  processFlows: bigint;
}

export interface NativeSession {
  /**
   * The next batch, null at the end. Rejects with an Error whose `code` is one of the names in
   * native/src/base/status.h and whose message is one line for a person. Damage inside a readable
   * input does not reject: it is in the summary.
   */
  next(): Promise<NativeBatch | null>;
  /** Final once next() gave null; before that, what is known so far. */
  summary(): NativeSummary;
  /** Ends the input where it is: what was read so far is given to its end. */
  stop(): void;
  /** Stops the engine's thread; the session gives nothing more. */
  close(): void;
  /** Of 'live': the containers met since the last call of which nothing is known. */
  takeUnknownContainers(): NativeUnknownContainer[];
  /** With `tallies`: the busiest of each kind since the last call, at most `most` of each. */
  takeBusiest(most: number): NativeTallyRow[];
  /** Puts what is known of a container into the capture: {"container":{...}} as captures have it. */
  describeContainer(json: string): void;
}

/** A client of a unix socket of kind SOCK_SEQPACKET; nothing waits. */
export interface NativeSeqpacketSocket {
  /** Throws what the system says. */
  connect(path: string): void;
  /** 'busy': the reader is behind, try later; 'lost': no connection; 'long': more than the socket takes at once. */
  send(message: Uint8Array): 'sent' | 'busy' | 'lost' | 'long';
  /** How many messages the other end may not have read yet; 0 when it has read all. */
  unread(): number;
  hasEnded(): boolean;
  close(): void;
}

/** A directory that this process made, whatever its name is later. */
export interface NativeMadeDirectory {
  device: bigint;
  inode: bigint;
  owner: bigint;
}

export interface NativeAddon {
  SeqpacketSocket: new () => NativeSeqpacketSocket;
  version: string;
  /** Throws what is wrong with a filter, as `next()` rejects. */
  checkFilter(text: string): void;
  /** What rules are and what is wrong with them. */
  compileRules(rules: NativeRules): NativeCompilation;
  /** Whether a text is a field of rules, with transformers or without. */
  isRuleField(text: string): boolean;
  /** Loads the probe and lets it go again. What works; throws what does not, as `next()` rejects. */
  tryProbe(options: NativeProbeOptions): string;
  Session: new (config: NativeConfig) => NativeSession;
  /** The directory at a path, just made; null when it is a link or not empty. Missing, as the next two, on Windows. */
  identifyMadeDirectory?(path: string): NativeMadeDirectory | null;
  /** Removes that directory with its files and directories, links not followed. Whether it is gone. */
  removeMadeDirectory?(path: string, made: NativeMadeDirectory): boolean;
  /** Removes the own user's files and directories whose names are taken; see native/src/files/removal.h. */
  removeLeftovers?(directory: string, isLeftover: (name: string) => boolean): void;
}
