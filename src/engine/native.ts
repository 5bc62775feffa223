/**
 * The interface of the native addon, exactly as `native/addon/` exports it. Only `src/engine/`
 * imports this file; other code uses the typed sessions of `src/engine/session.ts`.
 */

import type { CaptureSummary } from './summary.js';

/** Input, output and options of a session, already validated. */
export interface NativeConfig {
  /** Path of the input. */
  input: string;
  /**
   * 'auto' checks the first bytes: a SysFlow file or a capture. 'live' is the running kernel;
   * `input` is then its name.
   */
  kind: 'auto' | 'capture' | 'sysflow' | 'live';
  /**
   * 'avro': bytes of a .sf file; 'files': bytes of .sf files, one for each header; 'datums':
   * records one by one, as Avro datums; 'columns': column batches; 'lines': events of a capture as
   * lines of text; 'recovered': bytes of a sound capture; 'info': read and count; 'findings':
   * findings of rules as lines of JSON; 'none': read and follow state only.
   */
  output:
    | 'avro'
    | 'columns'
    | 'datums'
    | 'files'
    | 'lines'
    | 'recovered'
    | 'info'
    | 'findings'
    | 'none';
  /**
   * For 'columns': names from native/tables/columns.json, or 'sysflow' for all events and flows in
   * one table. A table that only captures have must be the only one.
   */
  tables: string[];
  /** For a table that only captures have: the columns that get values; empty for all. */
  captureColumns: string[];
  /**
   * For a table of the state at a moment: the moments; the column `moment_number` of a row is an
   * index into them.
   */
  moments: NativeMoment[];
  /** Maximum rows of a batch (1 to 122880). */
  batchRows: number;
  /** SFHeader.exporter, SFHeader.ip and SFHeader.filename. */
  exporter: string;
  nodeIp: string;
  filename: string;
  /** Read-only file flows to keep: 0 all, 1 none, 2 select. */
  fileReadMode: 0 | 1 | 2;
  fileOnly: boolean;
  processFlow: boolean;
  containersOnly: boolean;
  /** Bytes that the engine may take, at least minMaxMemory; 0 for no limit. */
  maxMemory: number;
  compat: '' | 'sysflow-0.7';
  /** A Falco filter: only events that pass are recorded, listed or counted; '' for all. */
  filter: string;
  /** For 'datums': also deliver the bytes of .sf files, one for each header. */
  withFiles: boolean;
  /** For 'columns': also deliver single records. */
  withDatums: boolean;
  /** Compression of .sf files. */
  codec: 'deflate' | 'null';
  /**
   * Start of the names of .sf files: each is named after the second at which it starts, and its
   * header has that name. '': the header has `filename`.
   */
  fileNames: string;
  /** File mode: 0 flows, 1 opens only (consumer mode), 2 none. */
  mode: 0 | 1 | 2;
  /**
   * Seconds of event time between headers; after each header, entities are written again; 0 never.
   */
  rotateInterval: number;
  /** For 'lines': 'count' writes no lines. The template '' is the default one. */
  lineFormat: 'text' | 'json' | 'count';
  line: string;
  /** For 'lines': first and last event; null for those of the capture. */
  from: NativeBound | null;
  to: NativeBound | null;
  /** For 'live'. */
  live: NativeLiveConfig;
  /** Count activity for takeBusiest(). */
  tallies: boolean;
  /** For 'findings'; null otherwise. */
  rules: (NativeRules & NativeMatching) | null;
}

/** Rules with expanded lists (native/src/rules/definitions.h). */
export interface NativeRules {
  macros: {
    name: string;
    condition: string;
    /** Position among all definitions. */
    place: number;
    /** The macro can use macros with a lower place. */
    sees: number;
  }[];
  rules: {
    condition: string;
    output: string;
    /** An unknown field or event type skips the rule without an error. */
    skipUnknown: boolean;
    /** Warn if the condition applies to very many events, or none. */
    warnEventTypes: boolean;
  }[];
}

export interface NativeMatching {
  /** Report every matching rule, not only the first. */
  allMatching: boolean;
  /** Count repeated findings, ignoring times and process ids, instead of returning each. */
  fold: boolean;
  /** Maximum distinct findings with `fold`. */
  maxDistinct: number;
}

/** The compiled rules; after an error, the part before it. */
export interface NativeCompilation {
  isOk: boolean;
  /** In compilation order; an error is last. */
  diagnostics: NativeDiagnostic[];
  macros: { condition: string; used: boolean }[];
  rules: {
    /** Compiled and not skipped. */
    isTaken: boolean;
    /** With expanded macros. */
    condition: string;
    /** Its fields that sfkit cannot answer. */
    unavailableFields: string[];
    /** Its fields that need a container description. */
    containerFields: string[];
    /** Some event can match. */
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
  /** The definition with the problem. */
  of: 'macro' | 'rule';
  index: number;
  /** Whether the position is in the rule's output. */
  isOfOutput: boolean;
  /**
   * The macro whose condition has the position; null if it is in the rule's own condition or
   * output.
   */
  macro: number | null;
  /** Byte position in that text, in UTF-8. */
  at: number;
  message: string;
}

/** Options of the probe in the kernel. */
export interface NativeProbeOptions {
  /** Also record calls that change no state and make no records. */
  allSyscalls: boolean;
  /** Bytes of data to keep from each read and write (0 to 4096). */
  snaplen: number;
  /** Keep 1 in N of the calls that change no state (1 to 128). */
  samplingRatio: number;
  /** Bytes per buffer between kernel and engine: a power of two from 4096 to 2^28. */
  ringBytes: number;
  /** Processors per buffer; 0: one buffer for all. */
  cpusPerRing: number;
  /** Use raw tracepoints even if tracepoints with BTF work. */
  rawTracepoints: boolean;
}

export interface NativeLiveConfig extends NativeProbeOptions {
  /** Capture file to write as well; '' for none. */
  recordPath: string;
  recordGzip: boolean;
  /** Once the capture runs, drop unneeded privileges in the whole process. */
  dropsPrivileges: boolean;
  /** Stop after this number of events; 0: never. */
  maxEvents: number;
  /** Directory with the files of the host; '' for the own root directory. */
  hostRoot: string;
}

/** A position in a capture: an event number, ns since 1970, or ns since the first system call. */
export interface NativeBound {
  kind: 'number' | 'time' | 'relative';
  value: bigint;
}

/**
 * A moment: before the first event, after the last one, ns since 1970, or ns since the first system
 * call.
 */
export interface NativeMoment {
  kind: 'start' | 'end' | 'time' | 'relative';
  /** 0 for start and end. */
  value: bigint;
}

/**
 * Values of one physical column of a batch. A string column has indexes into the batch's strings.
 */
export interface NativeColumn {
  /** i32: Int32Array; i64: BigInt64Array; str: Uint32Array; bool: Uint8Array (0 or 1). */
  values: Int32Array | BigInt64Array | Uint32Array | Uint8Array;
  /** Bit i (least significant first) is set if row i has a value; null if every row has one. */
  valid: Uint8Array | null;
  /** For ts_uts and endts_uts: the rows with a possible time; missing if `valid` says the same. */
  possible?: Uint8Array;
}

export interface NativeColumnBatch {
  kind: 'columns';
  table: string;
  rows: number;
  /** Number of headers before the header of these rows; more than 0 after a rotation. */
  file: number;
  /** Seconds since 1970 at which this file starts; 0 for the first. */
  startSeconds: number;
  /**
   * The distinct strings of this batch, UTF-8 as captured (not validated): string i is
   * bytes[offsets[i]..offsets[i+1]].
   */
  strings: { offsets: Uint32Array; bytes: Uint8Array };
  /** In the order of the table's columns that have no `from` in columns.json. */
  columns: NativeColumn[];
}

export interface NativeBytesBatch {
  kind: 'bytes';
  /** The next bytes of the file, or complete lines. */
  bytes: Uint8Array;
  /**
   * For 'files', and 'datums' with files: number of the file, from 0. A file is complete when the
   * next one starts.
   */
  file?: number;
  /** Seconds since 1970 at which this file starts; 0 for the first. */
  startSeconds?: number;
  /** The name in the header of this file. */
  name?: string;
}

/**
 * SysFlow records, each a datum of the schema's record SysFlow: datum i is bytes[ends[i -
 * 1]..ends[i]].
 */
export interface NativeDatumBatch {
  kind: 'datums';
  /**
   * Branches beyond the schema's union: 12 is a network flow with IPv6 addresses. 13 is the
   * identity of a process that no later record refers to unless it is written again. 14 (number
   * only) says the same of all files, and 15 of the container whose id follows.
   */
  bytes: Uint8Array;
  ends: Uint32Array;
}

export type NativeBatch = NativeColumnBatch | NativeBytesBatch | NativeDatumBatch;

/** Activity of a process, a file or a connection. */
export interface NativeTallyRow {
  kind: 'process' | 'file' | 'connection';
  name: string;
  calls: bigint;
  /** Bytes. */
  read: bigint;
  written: bigint;
}

/** A container known only by the cgroups of its processes. */
export interface NativeUnknownContainer {
  /** The first 12 digits. */
  id: string;
  /** NUL-terminated strings subsystem=path. */
  cgroups: string;
}

/** Summary of the session; `info` is always present, and empty unless the output is 'info'. */
export type NativeSummary = CaptureSummary;

/** How far the reading of an input is. */
export interface NativeProgress {
  /** Bytes of the file on disk; 0 if unknown, as for pipes. */
  size: number;
  /** Of these, bytes read so far. */
  consumed: number;
  /** Bytes of the decompressed stream read so far. */
  bytes: number;
  /** Event blocks, or records of a SysFlow file, read so far. */
  events: number;
}

export interface NativeSession {
  /**
   * The next batch; null at the end. Rejects with an Error whose `code` is one of the names in
   * native/include/sfkit/status.h and whose message is one line for a person. Damage inside a
   * readable input does not reject: it is in the summary.
   */
  next(): Promise<NativeBatch | null>;
  /** Final after next() returned null; before that, what is known so far. */
  summary(): NativeSummary;
  /** How far reading is. For 'live', all 0. */
  progress(): NativeProgress;
  /** Ends the input here: everything read so far is still delivered. */
  stop(): void;
  /** Stops the engine's thread; no more batches arrive. */
  close(): void;
  /** For 'live': unknown containers seen since the last call. */
  takeUnknownContainers(): NativeUnknownContainer[];
  /** With `tallies`: the busiest of each kind since the last call, at most `max` of each. */
  takeBusiest(max: number): NativeTallyRow[];
  /** Adds a container description to the capture: {"container":{...}}, as in captures. */
  describeContainer(json: string): void;
  /** Adds an event of the Kubernetes API to the capture: the JSON that captures have. */
  addKubernetesEvent(json: string): void;
}

/** A non-blocking client of a unix socket of type SOCK_SEQPACKET. */
export interface NativeSeqpacketSocket {
  /** Throws the system's error. */
  connect(path: string): void;
  /**
   * 'busy': the buffer is full, try later; 'lost': no connection; 'long': the message exceeds the
   * socket's limit.
   */
  send(message: Uint8Array): 'sent' | 'busy' | 'lost' | 'long';
  /** Number of messages that the reader may not have read yet; 0 if it has read all. */
  unread(): number;
  hasEnded(): boolean;
  close(): void;
}

/** Identity of a directory that this process created, independent of its name. */
export interface NativeMadeDirectory {
  device: bigint;
  inode: bigint;
  owner: bigint;
}

export interface NativeAddon {
  SeqpacketSocket: new () => NativeSeqpacketSocket;
  version: string;
  /** The library that compresses .sf files. */
  deflateLibrary: 'libdeflate' | 'zlib';
  /** Smallest limit of memory for a session. */
  minMaxMemory: number;
  /** Throws if a filter is wrong, with an error like those of `next()`. */
  checkFilter(text: string): void;
  /** Compiles rules; returns their properties and diagnostics. */
  compileRules(rules: NativeRules): NativeCompilation;
  /** Whether a text is a field that rules can use, with or without transformers. */
  isRuleField(text: string): boolean;
  /**
   * Frees the memory of a batch that nobody uses any more: its arrays become empty. The garbage
   * collector would do it later.
   */
  releaseBatch(batch: Pick<NativeColumnBatch, 'strings' | 'columns'> | NativeBytesBatch): void;
  /**
   * Loads and unloads the probe. Returns what works; throws an error like those of `next()` if it
   * does not load.
   */
  tryProbe(options: NativeProbeOptions): string;
  Session: new (config: NativeConfig) => NativeSession;
  /**
   * Identity of the new directory at a path; null if it is a link or not empty. This and the next
   * two: not on Windows.
   */
  identifyMadeDirectory?(path: string): NativeMadeDirectory | null;
  /**
   * Removes that directory with its contents, without following links. Returns whether it is gone.
   */
  removeMadeDirectory?(path: string, made: NativeMadeDirectory): boolean;
  /**
   * Removes the user's own files and directories that `isLeftover` accepts; see
   * native/src/files/removal.h.
   */
  removeLeftovers?(directory: string, isLeftover: (name: string) => boolean): void;
}
