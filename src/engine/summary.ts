import type { ReasonId, Severity } from './reasons.gen.js';

// The summary of a read input, for the library and all commands.

/** Counts of what was read from an input, made from it, and left out. */
export interface Summary {
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
  /**
   * Live entities and flows at the last update: once a second of event time, and before the flows
   * at the end.
   */
  tables: TableSizes;
  /** For a live capture: events received from the kernel, and gaps. */
  live: LiveSummary;
  /** Properties and contents of the capture, if requested; absent otherwise. */
  info?: CaptureInfo;
  /** For runs with rules: containers seen, and containers of which only the id is known. */
  containersSeen: bigint;
  containersUndescribed: bigint;
  /** Events listed, or kept in a recovered capture. */
  shown: bigint;
  /** Reasons for leaving data out, with counts. */
  skipped: ReasonCount[];
  /** Data read or written in another form than the input has, with counts; nothing is lost. */
  notes: ReasonCount[];
  damage: Damage[];
  /** ns since 1970 of the first and last event with a real time; 0 without events. */
  firstTime: bigint;
  lastTime: bigint;
}

/** A summary with the properties of the capture. */
export type CaptureSummary = Summary & { info: CaptureInfo };

/** A reason and how often it occurred. */
export interface ReasonCount {
  /** The same in all versions, unlike the text. */
  id: ReasonId;
  severity: Severity;
  /** Text for people. Starts with the thing counted, in the plural. */
  reason: string;
  count: bigint;
}

/** A damaged place of an input. */
export interface Damage {
  kind: string;
  /** Byte offset in the (decompressed) stream. */
  offset: bigint;
  skippedBytes: bigint;
  message: string;
}

/** Result of a live capture. */
export interface LiveSummary {
  /** The probe runs or ran. */
  running: boolean;
  events: bigint;
  gaps: Gap[];
  /**
   * Why the recorded capture file is incomplete; '' if it is complete. Such a failure ends the
   * capture.
   */
  recordingFailure: string;
  /** Why dropping privileges failed; '' otherwise. */
  privilegesFailure: string;
}

/** Something that did not reach the records. */
export interface Gap extends ReasonCount {
  /** Events are lost that should have been recorded. */
  isLoss: boolean;
}

/** Number of live entities and flows. */
export interface TableSizes {
  /** Seconds since 1970 of the first event; 0 before it. */
  startSeconds: bigint;
  containers: bigint;
  processes: bigint;
  files: bigint;
  networkFlows: bigint;
  fileFlows: bigint;
  processFlows: bigint;
}

/** Properties and contents of a capture; those of the first section if sections differ. */
export interface CaptureInfo {
  /** Format version, such as 1.2. */
  version: string;
  /** Written in the other byte order than this machine's. */
  swapped: boolean;
  /** Version of its process lists; 0 without lists. */
  processList: number;
  /** Event blocks contain their parameter count. */
  countedParameters: boolean;
  /** Has enter events, which newer writers omit. */
  hasEnters: boolean;
  /** Age of the writer, derived from these facts. */
  writer: string;
  sections: bigint;
  hostname: string;
  /** 0 when unknown. */
  cpus: number;
  memoryBytes: bigint;
  /** ns since 1970; 0 when unknown. */
  bootTime: bigint;
  /** Entries in the lists of all sections. */
  threads: bigint;
  processes: bigint;
  descriptors: bigint;
  users: bigint;
  groups: bigint;
  interfaces: bigint;
  /** Distinct containers of the last section. */
  containers: bigint;
  /** Events by type, most frequent first. */
  events: { type: string; enter: bigint; exit: bigint }[];
}
