// What is known of an input that was read, as the library and all commands see it.

/** What was read of an input, what was made of it, and what was left out. */
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
  /** What was alive when that was told last: once a second of event time, and before the end's flows. */
  tables: TableSizes;
  /** Of a live capture: what the kernel handed over, and what it did not. */
  live: LiveSummary;
  /** What the capture is and holds, where that was asked for; absent otherwise. */
  info?: CaptureInfo;
  /** Where rules were asked: containers that were met, and those of which only the id is known. */
  containersSeen: bigint;
  containersUndescribed: bigint;
  /** Events that were listed, or kept in a recovered capture. */
  shown: bigint;
  /** What was left out and why, with how often. */
  skipped: ReasonCount[];
  /** What was read or shown in another way than it stands in the input, with how often; nothing is lost. */
  notes: ReasonCount[];
  damage: Damage[];
  /** ns since 1970 of the first and last event that has a real time; 0 without events. */
  firstTime: bigint;
  lastTime: bigint;
}

/** A summary that says what the capture is. */
export type CaptureSummary = Summary & { info: CaptureInfo };

/** Something that happened, and how often. */
export interface ReasonCount {
  reason: string;
  count: bigint;
}

/** A place of an input that could not be read. */
export interface Damage {
  kind: string;
  /** Byte offset in the (decompressed) stream. */
  offset: bigint;
  skippedBytes: bigint;
  message: string;
}

/** How a live capture went. */
export interface LiveSummary {
  /** The probe is at work, or was. */
  running: boolean;
  events: bigint;
  gaps: Gap[];
  /** Why the capture that is written at the same time is not whole; '' if it is. The capture ends when that happens. */
  recordingFailure: string;
  /** Why privileges that were to be dropped are still held; '' otherwise. */
  privilegesFailure: string;
}

/** Something that did not reach the records. */
export interface Gap {
  reason: string;
  count: bigint;
  /** Events are missing that should not be. */
  isLoss: boolean;
}

/** How much is alive. */
export interface TableSizes {
  /** Seconds since 1970 of the first event; 0 before it. */
  begins: bigint;
  containers: bigint;
  processes: bigint;
  files: bigint;
  networkFlows: bigint;
  fileFlows: bigint;
  processFlows: bigint;
}

/** What a capture is and holds; of its first section where they differ. */
export interface CaptureInfo {
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
